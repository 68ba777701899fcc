def main(request, response):
    return [(b"X-Method", request.method)], repr([request.method, request.url, request.request_path,
                                                  request.protocol_version, request.body])
