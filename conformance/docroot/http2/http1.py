def main(request, response):
    response.writer.write_status(221)
    response.writer.write_header("X-A", "b")
    response.writer.end_headers()
    response.writer.write("plain")
