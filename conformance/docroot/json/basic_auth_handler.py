from wptserve.handlers import BasicAuthHandler, handler


@handler
def secret(request, response):
    return b"secret"


main = BasicAuthHandler(secret, b"user", b"pass")
