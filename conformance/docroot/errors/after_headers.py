def main(request, response):
    response.writer.write_status(200)
    response.writer.end_headers()
    raise ValueError("after the headers")
