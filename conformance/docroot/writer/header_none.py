def main(request, response):
    response.writer.write_header("X-None", None)
