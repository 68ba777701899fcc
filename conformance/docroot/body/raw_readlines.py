def main(request, response):
    return repr(request.raw_input.readlines())
