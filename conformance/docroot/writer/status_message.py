def main(request, response):
    response.writer.write_status(299, "Own Words")
    response.writer.end_headers()
