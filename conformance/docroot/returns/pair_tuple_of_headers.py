def main(request, response):
    return ((b"Content-Type", b"text/plain"),), b"tuple of pairs"
