def main(request, response):
    response.writer.write(5)
