def main(request, response):
    yield b"main is "
    yield b"a generator"
