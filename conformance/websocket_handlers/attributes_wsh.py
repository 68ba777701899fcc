from pywebsocket3 import msgutil

NAMES = (
    "ws_resource", "uri", "unparsed_uri", "method", "protocol", "ws_origin", "ws_version",
    "ws_protocol", "ws_requested_protocols", "ws_close_code", "ws_close_reason", "extra_headers",
)


def _all(request):
    return {name: getattr(request, name, "missing") for name in NAMES}


def web_socket_do_extra_handshake(request):
    request.seen = _all(request)
    if request.ws_requested_protocols:
        request.ws_protocol = request.ws_requested_protocols[0]


def web_socket_transfer_data(request):
    msgutil.send_message(request, repr(request.seen))
    msgutil.send_message(request, repr(_all(request)))
    extensions = request.ws_extensions and [
        (e.name(), e.get_parameters()) for e in request.ws_extensions
    ]
    asked = request.ws_requested_extensions and [
        (e.name(), e.get_parameters()) for e in request.ws_requested_extensions
    ]
    msgutil.send_message(request, repr((extensions, asked)))
    msgutil.send_message(request, repr((request.client_terminated, request.server_terminated)))
    msgutil.send_message(request, repr(request.is_https()))
    host, port = request.connection.remote_addr[:2]
    msgutil.send_message(request, repr((host, isinstance(port, int))))
    msgutil.send_message(request, repr(msgutil.receive_message(request)))
    msgutil.send_message(request, repr(request.ws_stream.get_last_received_opcode()))
    assert msgutil.receive_message(request) is None


def web_socket_passive_closing_handshake(request):
    return 3000, repr((request.ws_close_code, request.ws_close_reason, request.client_terminated))
