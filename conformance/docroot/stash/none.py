def main(request, response):
    request.server.stash.put("77777777-7777-7777-7777-777777777777", None)
