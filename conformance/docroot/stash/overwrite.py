def main(request, response):
    stash = request.server.stash
    key = "55555555-5555-5555-5555-555555555555"
    stash.take(key)
    stash.put(key, "old")
    stash.put(key, "new")
