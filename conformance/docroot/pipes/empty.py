def main(request, response):
    return ""
