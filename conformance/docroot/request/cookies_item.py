def main(request, response):
    cookie = request.cookies[b"a"]
    return repr([cookie.key, cookie.value, str(cookie), repr(cookie), type(cookie).__name__])
