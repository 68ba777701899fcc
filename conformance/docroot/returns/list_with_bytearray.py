def main(request, response):
    return [b"one ", bytearray(b"array")]
