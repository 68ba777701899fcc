def main(request, response):
    return ([(b"Transfer-Encoding", b"chunked")],
            b"5\r\nhello\r\n3;ext=1\r\n 12\r\n0\r\nX-Trailer: t\r\n\r\n")
