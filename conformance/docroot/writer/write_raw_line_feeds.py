def main(request, response):
    response.writer.write(b"HTTP/1.1 200 OK\nX-Raw: 1\nContent-Length: 2\n\nok")
