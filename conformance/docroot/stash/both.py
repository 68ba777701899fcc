def main(request, response):
    stash = request.server.stash
    key = request.GET.first(b"key")
    before = stash.take(key)
    stash.put(key, [before, b"bytes", "text", 1, 2.5, {"k": (1, 2)}])
    return repr([before, stash.take(key), stash.take(key)])
