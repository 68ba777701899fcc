from mod_pywebsocket import handshake, msgutil


def _mode(request):
    return request.ws_resource.partition("?")[2]


def web_socket_do_extra_handshake(request):
    mode = _mode(request)
    if mode == "handshake-value":
        raise ValueError("no")
    if mode == "handshake-status":
        raise handshake.HandshakeException("no", status=404)
    if mode == "handshake-version":
        raise handshake.VersionException("no", "12")
    if mode == "handshake-abort":
        raise handshake.AbortedByUserException("no")
    if mode == "protocol":
        request.ws_protocol = "unasked"
    if mode == "bad-protocol":
        request.ws_protocol = "not a token"


def web_socket_transfer_data(request):
    mode = _mode(request)
    request.ws_stream.send_message("begun")
    if mode == "value":
        raise ValueError("no")
    if mode == "abort":
        raise handshake.AbortedByUserException("no")
    if mode == "terminated":
        raise msgutil.ConnectionTerminatedException("no")
    if mode == "bad-operation":
        raise msgutil.BadOperationException("no")
    if mode == "send-after-close":
        request.ws_stream.close_connection(4000, "first")
        request.ws_stream.send_message("late")
    if mode == "receive-after-close":
        assert request.ws_stream.receive_message() is None
        request.ws_stream.receive_message()
    if mode == "binary-text":
        request.ws_stream.send_message("text", binary=True)
    if mode == "text-bytes":
        request.ws_stream.send_message(b"bytes", binary=False)
    if mode == "mixed":
        request.ws_stream.send_message("a", end=False)
        request.ws_stream.send_message(b"b", binary=True)
    if mode == "surrogate":
        request.ws_stream.send_message("\ud800")
    if mode == "bad-code":
        request.ws_stream.close_connection(1005)
    if mode == "low-code":
        request.ws_stream.close_connection(999)
    if mode == "code-none-reason":
        request.ws_stream.close_connection(None, "reason")
    if mode == "long-ping":
        request.ws_stream.send_ping(b"x" * 126)
