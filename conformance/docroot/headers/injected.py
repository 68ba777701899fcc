def main(request, response):
    return [(b"X-First", b"1\r\nX-Injected: 2")], b"body"
