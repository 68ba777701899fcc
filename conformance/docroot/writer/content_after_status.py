def main(request, response):
    response.writer.write_status(202)
    response.writer.write_content(b"content")
