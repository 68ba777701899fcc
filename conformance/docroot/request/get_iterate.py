def main(request, response):
    get = request.GET
    return repr([list(get), list(get.keys()), list(get.items()), list(get.values()), len(get),
                 b"a" in get, b"none" in get])
