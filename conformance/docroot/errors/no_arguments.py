def main(request, response):
    raise RuntimeError
