def web_socket_do_extra_handshake(request):
    if request.ws_requested_protocols:
        request.ws_protocol = request.ws_requested_protocols[-1]


def web_socket_transfer_data(request):
    extensions = [extension.name() for extension in request.ws_requested_extensions or ()]
    request.ws_stream.send_message(repr((request.ws_requested_protocols, extensions)))
