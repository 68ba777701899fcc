from mod_pywebsocket import msgutil


def web_socket_do_extra_handshake(request):
    pass


def web_socket_transfer_data(request):
    said = []
    if request.ws_resource.endswith("?handlers"):
        request.on_ping_handler = lambda request, body: said.append(("ping", body))
        request.on_pong_handler = lambda request, body: said.append(("pong", body))
    msgutil.send_ping(request, "text")
    request.ws_stream.send_ping(b"bytes", binary=True)
    msgutil.send_message(request, repr(msgutil.receive_message(request)))
    msgutil.send_message(request, repr(said))
