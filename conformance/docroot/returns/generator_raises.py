def pieces():
    yield b"before"
    raise ValueError("in the middle")


def main(request, response):
    return pieces()
