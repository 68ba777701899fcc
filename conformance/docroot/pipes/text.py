def main(request, response):
    return "0123456789"
