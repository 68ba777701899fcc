def main(request, response):
    return [(b"Content-Type", b"text/plain"), (b"X-One", b"1")], b"pair"
