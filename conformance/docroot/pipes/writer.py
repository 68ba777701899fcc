def main(request, response):
    response.writer.write_status(203)
    response.writer.write_header("Content-Length", "4")
    response.writer.end_headers()
    response.writer.write_content("done")
