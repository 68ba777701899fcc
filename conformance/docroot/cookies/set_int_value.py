def main(request, response):
    response.set_cookie(b"name", 1)
    return b"body"
