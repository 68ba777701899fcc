def main(request, response):
    return repr([len(request.headers), len(request.raw_headers.items())])
