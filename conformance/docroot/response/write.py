def main(request, response):
    response.status = 203
    response.headers.set(b"X-A", b"1")
    response.content = b"written by write()"
    response.write()
    return b"ignored"
