def main(request, response):
    response.writer.default_status = 418
    response.writer.write_content(b"teapot")
