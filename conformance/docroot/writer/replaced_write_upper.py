def main(request, response):
    original = response.writer.write
    response.writer.write = lambda data: original(response.writer.encode(data).upper())
    return [(b"X-Lower", b"lower")], b"body"
