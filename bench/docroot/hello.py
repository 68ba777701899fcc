"""The least a handler can do: one header and five bytes."""


def main(request, response):
    return [(b"Content-Type", b"text/plain")], b"hello"
