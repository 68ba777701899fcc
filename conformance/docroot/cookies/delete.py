def main(request, response):
    response.delete_cookie(b"name")
    response.delete_cookie("other", path="/p", domain="example.test")
    return b"body"
