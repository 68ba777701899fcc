def main(request, response):
    return 0
