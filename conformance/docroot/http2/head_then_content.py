def main(request, response):
    response.status = 222
    response.headers.set(b"X-A", b"b")
    response.write_status_headers()
    response.writer.write_content(b"first ")
    response.writer.write_raw_content(b"second ")
    response.writer.write(b"third")
