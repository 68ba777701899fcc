def main(request, response):
    response.headers.set(b"X-A", b"1")
    response.headers.update([(b"X-A", b"2"), ("X-B", "3")])
    response.headers.update(response.headers.items())
    return b"body"
