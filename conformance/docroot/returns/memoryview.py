def main(request, response):
    return memoryview(b"view")
