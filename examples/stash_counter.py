"""A counter in the stash, which is what handlers have instead of global variables.

Each request runs the handler file afresh, so a module-level counter would stay at 1. Taking
a value removes it; the lock makes "take, add one, put back" one step for all requests.
"""

KEY = "7a1d5c4e-52a4-4f0e-9f5e-6a1f3b0c2d18"


def main(request, response):
    stash = request.server.stash
    with stash.lock:
        count = (stash.take(KEY) or 0) + 1
        stash.put(KEY, count)
    return ([("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")],
            f"This page was asked for {count} time{'' if count == 1 else 's'}.\n")
