def main(request, response):
    response.add_required_headers = False
    response.writer.write_status(200)
    response.writer.write_header("X-A", "1")
    response.writer.end_headers()
    response.writer.write("body")
