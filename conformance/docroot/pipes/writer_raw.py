def main(request, response):
    response.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
