def main(request, response):
    writer = response.writer
    writer.write_status(200)
    writer.write_header("DATE", "today")
    writer.write_header(b"server", b"mine")
    writer.write_header("Content-Length", 0)
    writer.end_headers()
