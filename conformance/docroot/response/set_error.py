def main(request, response):
    response.headers.set(b"X-Lost", b"1")
    response.set_error(400, "reason of the error")
