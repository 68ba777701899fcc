def main(request, response):
    response.headers = [("X-A", "1")]
    return [("X-B", "2")], b"a list has no update"
