def web_socket_do_extra_handshake(request):
    request.extra_headers.append(("X-One", "1"))
    request.extra_headers.append(("X-Two", "2\r\nX-Injected: yes"))
    request.extra_headers.append(("X-Umlaut", "\xe9"))


def web_socket_transfer_data(request):
    pass
