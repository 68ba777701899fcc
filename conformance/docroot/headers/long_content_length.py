def main(request, response):
    return [(b"Content-Length", b"10")], b"short"
