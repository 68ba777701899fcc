import io


def main(request, response):
    writer = response.writer
    response.close_connection = True
    shown = [writer.write_raw_content(b"HTTP/1.1 200 OK\r\n"), writer.write_raw_content("\r\n"),
             writer.write_raw_content(io.BytesIO(b"from a file "))]
    writer.write_raw_content(repr(shown))
