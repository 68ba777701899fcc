def main(request, response):
    response.writer.write_content(b"first")
    response.writer.write_content(b" and second")
