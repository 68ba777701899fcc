def main(request, response):
    return [(b"Content-Length", b"many")], b"12345"
