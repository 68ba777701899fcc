def main(request, response):
    response.set_cookie(b"a", b"1")
    return [(b"Set-Cookie", b"b=2"), (b"set-cookie", b"c=3; HttpOnly")], b"body"
