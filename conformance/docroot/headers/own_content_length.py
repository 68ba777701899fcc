def main(request, response):
    return [(b"content-length", b"3")], b"abcdef"
