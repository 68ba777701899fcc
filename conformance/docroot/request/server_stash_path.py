def main(request, response):
    return repr([request.server.stash.default_path, type(request.server.stash).__name__])
