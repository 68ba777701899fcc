def main(request, response):
    return repr([request.auth.username, request.auth.password])
