def main(request, response):
    request.raw_input.seek(request.raw_input.length + 1)
