def main(request, response):
    return [("Content-Length", "10")], "0123456789"
