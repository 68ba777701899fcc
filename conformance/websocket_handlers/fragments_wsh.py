def web_socket_do_extra_handshake(request):
    pass


def web_socket_transfer_data(request):
    stream = request.ws_stream
    stream.send_message("one ", end=False)
    stream.send_message("two ", end=False, binary=False)
    stream.send_message("", end=True)
    stream.send_message(b"\x00\xff", False, True)
    stream.send_message(b"", True, True)
    stream.send_message("")
    stream.send_message(b"", binary=True)
    stream.send_message(bytearray(b"array"), binary=True)
    stream.send_message("x" * 126)
    stream.send_message("y" * 65536)
