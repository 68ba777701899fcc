def main(request, response):
    response.writer.write_content(b"content")
    raise ValueError("after the content")
