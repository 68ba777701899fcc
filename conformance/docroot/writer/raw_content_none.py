def main(request, response):
    response.writer.write_raw_content(None)
