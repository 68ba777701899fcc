def main(request, response):
    response.content = b"12345"
    response.writer.write_status(200)
    response.writer.end_headers()
