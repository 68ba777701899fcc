def main(request, response):
    request.server.stash.put(request.GET.first(b"key"), 1)
