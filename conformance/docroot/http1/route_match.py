def main(request, response):
    return repr(request.route_match)
