def main(request, response):
    return b"ÿ"
