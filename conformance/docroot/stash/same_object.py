def main(request, response):
    return repr([request.server is request.server, request.server.stash is request.server.stash])
