def main(request, response):
    headers = request.headers
    return repr([list(headers), len(headers), list(headers.iteritems()),
                 list(headers.itervalues())])
