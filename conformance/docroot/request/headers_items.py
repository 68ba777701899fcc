def main(request, response):
    headers = request.headers
    return repr([list(headers.items()), list(headers.keys()), list(headers.values())])
