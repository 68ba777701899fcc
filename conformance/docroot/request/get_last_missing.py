def main(request, response):
    return request.GET.last(b"missing")
