def main(request, response):
    response.headers.set(b"X-Date-Is", b"own")
    return [(b"DATE", b"Thu, 01 Jan 1970 00:00:00 GMT")], b"body"
