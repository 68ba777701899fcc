def main(request, response):
    response.status = 299, b"Odd"
    response.headers.set(b"X-A", b"1")
    response.write_status_headers()
    response.writer.write(b"then the body")
