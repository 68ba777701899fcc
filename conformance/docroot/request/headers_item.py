def main(request, response):
    return request.headers[b"x-test"]
