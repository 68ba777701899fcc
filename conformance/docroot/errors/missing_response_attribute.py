def main(request, response):
    return response.no_such_attribute
