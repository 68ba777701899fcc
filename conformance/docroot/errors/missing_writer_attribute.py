def main(request, response):
    return response.writer.no_such_attribute()
