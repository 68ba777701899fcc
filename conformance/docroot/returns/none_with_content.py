def main(request, response):
    response.status = 201
    response.headers.set(b"X-Set", b"1")
    response.content = b"set on the response"
