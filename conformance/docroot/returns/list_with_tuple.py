def main(request, response):
    return [b"one ", (b"t", b"u")]
