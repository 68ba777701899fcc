def main(request, response):
    handler = response.writer._handler
    handler.send_response_only(103)
    handler.send_header("X-A", "1")
    response.writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
    handler.flush_headers()
    handler.wfile.write(b"\r\n")
    response.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
