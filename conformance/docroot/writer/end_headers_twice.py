def main(request, response):
    response.writer.write_status(200)
    response.writer.end_headers()
    response.writer.end_headers()
