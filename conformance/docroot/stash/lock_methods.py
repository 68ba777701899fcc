def main(request, response):
    lock = request.server.stash.lock
    shown = [lock.acquire(), lock.release()]
    with lock as entered:
        shown.append(entered)
    return repr(shown)
