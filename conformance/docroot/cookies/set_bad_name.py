def main(request, response):
    response.set_cookie(b"bad name", b"value")
    return b"body"
