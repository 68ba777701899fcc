def main(request, response):
    return request.GET.first(b"missing")
