def main(request, response):
    return repr([line for line in request.raw_input])
