def main(request, response):
    return main(request, response)
