def main(request, response):
    response.writer.end_headers()
