def main(request, response):
    return repr([request.GET is request.GET, request.headers is request.headers,
                 request.cookies is request.cookies, request.url_parts is request.url_parts])
