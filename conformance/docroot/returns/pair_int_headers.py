def main(request, response):
    return 404, [(b"Content-Type", b"text/plain")]
