def main(request, response):
    response.headers.set(b"X-A", None)
    return b"body"
