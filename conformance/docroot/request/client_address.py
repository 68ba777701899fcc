def main(request, response):
    host, port = request.client_address
    return repr([type(request.client_address).__name__, host, type(port).__name__])
