def main(request, response):
    handler = response.writer._handler
    handler.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
    sent = handler.request.send(b"sock")
    handler.connection.sendall(memoryview(b"et%02d" % sent))
    response.writer.content_written = True
