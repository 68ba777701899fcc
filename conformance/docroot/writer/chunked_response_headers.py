def main(request, response):
    response.headers.set(b"Transfer-Encoding", b"chunked")
    response.write_status_headers()
    response.writer.write(b"3\r\nabc\r\n0\r\n\r\n")
