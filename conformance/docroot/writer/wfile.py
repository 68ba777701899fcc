def main(request, response):
    response.close_connection = True
    response.writer.content_written = True
    response.writer._wfile.write(b"HTTP/1.1 200 OK\r\n\r\nby the file")
    response.writer._wfile.flush()
