def main(request, response):
    return repr([sorted(request.POST.items()), len(request.POST)])
