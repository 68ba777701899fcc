def main(request, response):
    response.writer.write(b"")
    return b"still ignored"
