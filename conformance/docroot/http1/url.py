def main(request, response):
    return repr([request.url, request.request_path, tuple(request.url_parts),
                 request.url_parts.hostname, request.url_parts.port])
