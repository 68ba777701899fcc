def pieces():
    yield b"before"
    raise ValueError("in the middle")


def main(request, response):
    return [(b"Content-Length", b"20")], pieces()
