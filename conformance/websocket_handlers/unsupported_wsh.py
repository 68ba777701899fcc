from mod_pywebsocket import msgutil


def web_socket_do_extra_handshake(request):
    request.ws_extension_processors = []


def web_socket_transfer_data(request):
    while True:
        try:
            message = request.ws_stream.receive_message()
        except msgutil.UnsupportedFrameException:
            message = "unsupported"
        if message is None:
            return
        request.ws_stream.send_message(message)
