def main(request, response):
    response.headers.set(b"Content-Length", 4)
    response.write_status_headers()
    response.writer.write("body")
