def main(request, response):
    return repr([request.headers.get_list(b"x-test"), request.headers.get_list("X-None", [])])
