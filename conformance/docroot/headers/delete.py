def main(request, response):
    response.headers.set(b"X-A", b"1")
    response.headers.set(b"X-B", b"2")
    del response.headers["x-a"]
    return repr(list(response.headers))
