def main(request, response):
    return [(b"Content-Length", b"5"), (b"Content-Length", b"7")], b"12345"
