def main(request, response):
    response.close_connection = True
    response.writer.write(b"HTTP/1.1 200 OK\r\n\r\nwritten")
    return 404, [(b"X-Ignored", b"1")], b"ignored"
