def main(request, response):
    return [(b"Transfer-Encoding", b"chunked")], b"5\r\nhello\r\nzz\r\n"
