def main(request, response):
    del response.headers[b"X-None"]
