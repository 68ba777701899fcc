def main(request, response):
    return repr([request.url_parts.hostname, request.url_parts.port])
