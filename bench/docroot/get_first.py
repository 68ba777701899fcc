"""A parameter read from the query and sent back as a header: the commonest thing handlers do."""


def main(request, response):
    response.headers.set(b"Content-Type", request.GET.first(b"content-type"))
    response.content = b"hello"
