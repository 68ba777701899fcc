def main(request, response):
    import http.client
    return repr([type(request.raw_headers).__name__,
                 isinstance(request.raw_headers, http.client.HTTPMessage)])
