def main(request, response):
    return repr(len(request.url_parts.query))
