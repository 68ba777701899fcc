def main(request, response):
    get = request.GET
    return repr([get.first(b"a"), get.first(b"none", None), get.first(b"none", 7),
                 get.first(b"none", default=b"d")])
