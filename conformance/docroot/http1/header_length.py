def main(request, response):
    return repr(len(request.headers.get(b"X-Long", b"")))
