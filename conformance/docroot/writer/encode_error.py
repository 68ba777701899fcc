def main(request, response):
    return response.writer.encode(3.5)
