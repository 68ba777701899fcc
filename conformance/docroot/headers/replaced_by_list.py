def main(request, response):
    response.headers = [("X-A", "1"), ("X-B", 2), (b"x-a", b"3")]
    response.content = b"body"
