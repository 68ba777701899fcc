def main(request, response):
    response.writer.write_default_headers = lambda: True
    return [(b"Content-Length", b"4")], b"body"
