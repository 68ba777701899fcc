def main(request, response):
    writer = response.writer
    before = writer.content_written
    shown = [before, writer.file_chunk_size, writer.default_status, writer.request is request,
             writer.encode("\xe9"), writer.encode(b"\xe9")]
    response.close_connection = True
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    shown.append(writer.content_written)
    writer.write(repr(shown))
