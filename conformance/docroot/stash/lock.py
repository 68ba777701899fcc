def main(request, response):
    stash = request.server.stash
    key = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb"
    with stash.lock:
        count = (stash.take(key) or 0) + 1
        stash.put(key, count)
        return repr(stash.take(key))
