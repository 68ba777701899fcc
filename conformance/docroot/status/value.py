"""Returns the status that the query names; `eval` keeps a form per case out of the way."""


def main(request, response):
    return eval(request.GET.first(b"status")), [(b"X-After", b"1")], b"body"
