def main(request, response):
    return [(b"X-First", b"1\nX-Injected: 2")], b"body"
