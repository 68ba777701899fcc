def main(request, response):
    response.writer.write_header(b"X-Only", b"1")
