def main(request, response):
    response.set_cookie("name", "value")
    response.set_cookie(b"other", b"two words; and more")
    return b"body"
