def main(request, response):
    return {b"key one": 1, b"key two": 2}
