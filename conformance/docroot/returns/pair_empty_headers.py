def main(request, response):
    return [], b"no headers"
