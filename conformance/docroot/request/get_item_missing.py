def main(request, response):
    return request.GET[b"missing"]
