def main(request, response):
    original = response.write

    def write():
        response.headers.set(b"X-Wrapped", b"1")
        original()

    response.write = write
    return b"body"
