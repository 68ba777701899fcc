def main(request, response):
    response.headers[b"X-A"] = b"1"
    response.headers["x-a"] = 2
    return repr(response.headers["X-A"])
