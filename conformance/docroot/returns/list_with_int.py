def main(request, response):
    return [b"one ", 2, b"three"]
