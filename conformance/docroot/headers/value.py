"""Returns a header with the name and value that the query gives as Python expressions."""


def main(request, response):
    return [(eval(request.GET.first(b"name")), eval(request.GET.first(b"value")))], b"body"
