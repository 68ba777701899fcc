def main(request, response):
    return request.POST[b"missing"]
