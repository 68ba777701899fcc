def main(request, response):
    return lambda: b"never called"
