"""A handler with a mistake."""


def main(request, response):
    raise ValueError("as the load asked")
