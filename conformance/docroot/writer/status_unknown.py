def main(request, response):
    response.writer.write_status(777)
    response.writer.end_headers()
