"""Takes a value out of the stash: the first request gets it, the next one finds nothing (404)."""


def main(request, response):
    headers = [("Content-Type", "text/plain"), ("Cache-Control", "no-store")]
    value = request.server.stash.take(key=request.GET.first(b"key"), path="/stash")
    if value is None:
        return 404, headers, "nothing under this key\n"
    return headers, value + b"\n"
