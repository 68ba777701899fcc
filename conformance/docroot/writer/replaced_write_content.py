def main(request, response):
    original = response.writer.write_content
    response.writer.write_content = lambda data: original(data[::-1])
    return b"reversed"
