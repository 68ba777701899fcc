web_socket_do_extra_handshake = 3


def web_socket_transfer_data(request):
    pass
