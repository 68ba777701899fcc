def main(request, response):
    cookie = request.cookies.first(b"a")
    return repr([cookie.expires, cookie.path, cookie.comment, cookie.domain, cookie.max_age,
                 cookie.secure, cookie.version, cookie.httponly, cookie == b"1", cookie == "1"])
