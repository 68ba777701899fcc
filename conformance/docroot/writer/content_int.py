def main(request, response):
    response.writer.write_content(5)
