def main(request, response):
    return repr(response.headers["X-None"])
