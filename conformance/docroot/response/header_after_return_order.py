def main(request, response):
    response.headers.set(b"X-First", b"1")
    response.headers.set(b"Content-Type", b"text/plain")
    return 202, [(b"X-Second", b"2"), (b"content-type", b"text/html")], b"body"
