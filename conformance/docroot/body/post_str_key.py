def main(request, response):
    return repr(["a" in request.POST, request.POST.first("a", None)])
