def main(request, response):
    stash = request.server.stash
    key = "11111111-1111-1111-1111-111111111111"
    shown = []
    for value in [False, 0, "", b"", [], {}, (), {b"k": [1, {"n": None}]}, {1, 2}, 10**30,
                  dict(request.headers) and "headers", frozenset([1])]:
        stash.put(key, value, "/stash/values")
        shown.append(stash.take(key, "/stash/values"))
    return repr(shown)
