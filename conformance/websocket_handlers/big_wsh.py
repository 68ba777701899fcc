def web_socket_do_extra_handshake(request):
    pass


def web_socket_transfer_data(request):
    length = int(request.ws_resource.partition("?")[2])
    message = request.ws_stream.receive_message()
    assert len(message) == length and set(message) == {"z"}
    request.ws_stream.send_message(message)
