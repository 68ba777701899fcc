def main(request, response):
    response.writer.write_header("X-A", "1")
    response.writer.write_content("content")
