def main(request, response):
    response.writer.write_status(200, b"\xe9t\xe9")
    response.writer.end_headers()
