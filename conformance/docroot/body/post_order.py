def main(request, response):
    return repr(list(request.POST.keys()))
