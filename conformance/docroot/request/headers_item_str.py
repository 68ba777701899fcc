def main(request, response):
    return request.headers["X-Test"]
