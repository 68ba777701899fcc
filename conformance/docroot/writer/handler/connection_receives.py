def main(request, response):
    handler = response.writer._handler
    handler.connection.sendall(b"HTTP/1.1 101 Switching\r\n\r\n")
    handler.connection.settimeout(10)
    received = b""
    while not received.endswith(b"!"):
        received += handler.connection.recv(64)
    handler.connection.sendall(b"got " + received)
    handler.close_connection = True
    response.writer.content_written = True
