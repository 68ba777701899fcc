def main(request, response):
    response.content = b"replaced"
    return b"by the returned value"
