"""Counts under the lock with a pause between take and put: any race loses a count."""

import time


def main(request, response):
    stash = request.server.stash
    key = request.GET.first(b"key")
    with stash.lock:
        count = (stash.take(key, "/counter") or 0) + 1
        time.sleep(0.002)
        stash.put(key, count, "/counter")
    return str(count)
