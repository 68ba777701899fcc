def main(request, response):
    return repr(request.headers.get_list(b"X-None"))
