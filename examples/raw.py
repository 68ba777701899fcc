"""Raw bytes on the connection: the server adds nothing, so a handler can send what no server should.

Here it is a header name in three spellings, and a field without a space after its colon.
"""


def main(request, response):
    body = b"These bytes were all written by the handler.\n"
    response.writer.write(
        b"HTTP/1.1 200 Raw Bytes\r\n"
        b"Content-Type:text/plain\r\n"
        b"X-Spelling: one\r\n"
        b"x-spelling: two\r\n"
        b"X-SPELLING: three\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    response.close_connection = True
