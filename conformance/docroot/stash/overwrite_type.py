from wptserve.stash import StashError


def main(request, response):
    stash = request.server.stash
    key = "66666666-6666-6666-6666-666666666666"
    stash.take(key)
    stash.put(key, "old")
    try:
        stash.put(key, "new")
    except StashError as error:
        return repr([type(error).__mro__[1].__name__, stash.take(key)])
