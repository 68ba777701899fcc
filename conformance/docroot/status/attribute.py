def main(request, response):
    response.status = eval(request.GET.first(b"status"))
    return repr(response.status)
