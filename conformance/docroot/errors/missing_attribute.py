def main(request, response):
    return request.no_such_attribute
