def main(request, response):
    file = response.writer._handler.wfile
    count = file.write(bytearray(b"HTTP/1.1 200 OK\r\n"))
    file.writelines([b"Content-Length: 12\r\n", b"\r\n"])
    file.write(b"%02d %d %d %d   " % (count, file.readable(), file.seekable(), file.isatty()))
    response.writer.content_written = True
