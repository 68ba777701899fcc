def main(request, response):
    return [b"one ", b"two ", b"", b"three"]
