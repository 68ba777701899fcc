def main(request, response):
    return b"0123456789"
