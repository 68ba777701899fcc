def main(request, response):
    return repr([request.raw_input.read(), request.raw_input.read()])
