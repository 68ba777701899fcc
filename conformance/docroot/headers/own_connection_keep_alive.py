def main(request, response):
    response.close_connection = True
    return [(b"Connection", b"keep-alive")], b"body"
