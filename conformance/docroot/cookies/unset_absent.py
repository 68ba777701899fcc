def main(request, response):
    response.unset_cookie(b"a")
    return b"body"
