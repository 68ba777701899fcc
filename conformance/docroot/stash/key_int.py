def main(request, response):
    request.server.stash.take(5)
