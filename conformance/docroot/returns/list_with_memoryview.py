def main(request, response):
    return [b"one ", memoryview(b"view")]
