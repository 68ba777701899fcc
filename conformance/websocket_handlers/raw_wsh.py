from pywebsocket3.handshake import AbortedByUserException, hybi


def web_socket_do_extra_handshake(request):
    mode = request.uri.partition("?")[2]
    if mode == "before":
        request.connection.write(b"FOO BAR BAZ\r\n\r\n")
    elif mode == "instead":
        key = request.headers_in.get("sec-websocket-key")
        accept = hybi.compute_accept_from_unicode(key)
        request.connection.write(b"HTTP/1.1 101 Mine\r\nX-Accept: %s\r\n\r\n" % accept)
        got = request.connection.read(5)
        request.connection.write(b"[%s]" % got)
        raise AbortedByUserException("enough")


def web_socket_transfer_data(request):
    mode = request.uri.partition("?")[2]
    if mode == "after":
        n = request.connection.write(b"\x81\x03raw")
        request.connection.write(b"\x82\x01%c" % (48 + (n or 5)))
        request.ws_stream.send_message(repr(request.connection.read(4)))
        request.ws_stream.send_message(repr(request.ws_stream.receive_message()))
        request.ws_stream.send_message(repr(request.ws_stream.receive_bytes(3)))
