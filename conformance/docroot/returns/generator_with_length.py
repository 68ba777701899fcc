def main(request, response):
    return [(b"Content-Length", b"6")], (piece for piece in (b"abc", b"def"))
