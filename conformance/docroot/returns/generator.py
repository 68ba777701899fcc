def main(request, response):
    return (piece for piece in (b"one ", b"two ", b"three"))
