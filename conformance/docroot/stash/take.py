def main(request, response):
    path = request.GET.first(b"path", None)
    return repr(request.server.stash.take(request.GET.first(b"key"), path))
