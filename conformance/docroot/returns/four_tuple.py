def main(request, response):
    return 200, [], b"content", b"too much"
