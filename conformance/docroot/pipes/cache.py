def main(request, response):
    return [("Cache-Control", "max-age=1")], "0123456789"
