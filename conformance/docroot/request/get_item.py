def main(request, response):
    return request.GET[b"a"]
