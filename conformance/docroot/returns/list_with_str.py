def main(request, response):
    return ["one ", b"two ", "dr\xefe"]
