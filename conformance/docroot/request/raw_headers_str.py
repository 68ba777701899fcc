def main(request, response):
    return str(request.raw_headers)
