"""Return format 1: the content alone. The status is 200 and no Content-Type is sent."""


def main(request, response):
    return "Only the content: status 200, no Content-Type.\n"
