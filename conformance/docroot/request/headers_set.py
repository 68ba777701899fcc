def main(request, response):
    request.headers[b"x-test"] = b"changed"
