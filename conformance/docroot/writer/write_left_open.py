def main(request, response):
    response.writer.write(b"raw bytes only")
