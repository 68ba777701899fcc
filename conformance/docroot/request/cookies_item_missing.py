def main(request, response):
    return request.cookies[b"missing"].value
