def main(request, response):
    headers = request.headers
    return repr([headers.get(b"X-Test"), headers.get("x-test"), headers.get("X-TEST", b"d"),
                 headers.get(b"X-None"), headers.get(b"X-None", b"d"), headers.get("X-None", True)])
