def main(request, response):
    return repr([len(request.body), request.body[:4], request.body[-4:], request.raw_input.length])
