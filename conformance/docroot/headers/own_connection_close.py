def main(request, response):
    return [(b"Connection", b"close")], b"body"
