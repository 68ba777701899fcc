def main(request, response):
    return repr([b"X-Test" in request.headers, "x-test" in request.headers,
                 b"x-none" in request.headers, "X-None" in request.headers])
