def main(request, response):
    stash = request.server.stash
    key = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
    value = [1]
    stash.put(key, value)
    value.append(2)
    taken = stash.take(key)
    return repr([taken, taken is value])
