def main(request, response):
    request.server.stash.remove("cccccccc-cccc-cccc-cccc-cccccccccccc")
