def pieces():
    yield b"one "
    yield "two "
    yield None
    yield lambda: b"three"


def main(request, response):
    return [(b"Content-Type", b"text/plain")], pieces()
