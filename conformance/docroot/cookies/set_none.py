def main(request, response):
    response.set_cookie(b"name", None)
    return b"body"
