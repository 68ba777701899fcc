def main(request, response):
    return request.request_line
