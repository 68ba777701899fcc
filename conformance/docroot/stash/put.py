def main(request, response):
    request.server.stash.put(request.GET.first(b"key"), request.GET.first(b"value", b"value"))
    return b"put"
