def main(request, response):
    writer = response.writer
    writer.write_header("X-Before", "1")
    writer.write_status(404)
    writer.write_header("Content-Length", "0")
    writer.end_headers()
