def main(request, response):
    writer = response.writer
    writer.write_header("X-A", "1")
    writer.write_header("X-B", "2")
    writer.write_header("x-a", "3")
    writer.write_header("Content-Length", "0")
    writer.end_headers()
