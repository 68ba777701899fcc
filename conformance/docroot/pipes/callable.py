def main(request, response):
    return [], [lambda: b"01234", b"56789"]
