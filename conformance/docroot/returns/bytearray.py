def main(request, response):
    return bytearray(b"bytearray")
