def main(request, response):
    return [], [b"01234", b"56789"]
