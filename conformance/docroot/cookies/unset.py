def main(request, response):
    response.set_cookie(b"a", b"1")
    response.set_cookie(b"b", b"2")
    response.unset_cookie(b"a")
    return b"body"
