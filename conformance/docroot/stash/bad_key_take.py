def main(request, response):
    request.server.stash.take("not-a-uuid")
