def main(request, response):
    return [("Content-Type", "text/x"), ("X-A", "handler")], "0123456789"
