def main(request, response):
    return [lambda: b"called ", b"plain ", lambda: "text", lambda: None]
