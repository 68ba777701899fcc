def main(request, response):
    get = request.GET
    return repr([get.first(b"a"), get.last(b"a"), get.get(b"a"), get[b"a"], get.get_list(b"a"),
                 get.get_list(b"none"), get.get(b"none"), get.last(b"none", 1)])
