def main(request, response):
    response.set_cookie(b"n", b"v", "/p", "example.test", 10, None, "Lax", True, True, "c")
    return b"body"
