def main(request, response):
    response.writer.write_status(200)
    response.writer.write_header("Content-Length", 10)
    response.writer.end_headers()
    response.writer.write("12345")
    raise ValueError("after half of the body")
