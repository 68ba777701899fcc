def main(request, response):
    response.headers.set(b"Transfer-Encoding", b"chunked")
    response.write_status_headers()
    response.writer.write(b"garbage, not a chunk\r\n\r\n")
