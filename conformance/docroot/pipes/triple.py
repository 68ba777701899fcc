def main(request, response):
    return (202, b"Taken"), [("X-A", "handler")], b"0123456789"
