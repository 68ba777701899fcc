def main(request, response):
    stash = request.server.stash
    key = "22222222-2222-2222-2222-222222222222"
    stash.put(key, "default")
    stash.put(key, "str path", "/stash/other")
    stash.put(key=key, value="keywords", path=b"/stash/\xe9")
    return repr([stash.take(key, path=b"/stash/other"), stash.take(key, "/stash/\xe9"),
                 stash.take(key, request.url_parts.path), stash.take(key)])
