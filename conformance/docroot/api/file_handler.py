from wptserve.handlers import FileHandler


def main(request, response):
    own = request.url_parts
    path = request.GET.first(b"path").decode()
    query = request.GET.first(b"query", b"").decode()
    request.url_parts = own._replace(path=path, query=query)
    FileHandler()(request, response)
    request.url_parts = own
