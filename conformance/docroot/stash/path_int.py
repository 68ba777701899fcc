def main(request, response):
    request.server.stash.take("88888888-8888-8888-8888-888888888888", 5)
