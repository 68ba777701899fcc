def web_socket_do_extra_handshake(request):
    mode = request.ws_resource.partition("?")[2]
    processors = request.ws_extension_processors
    request.names = [processor.name() for processor in processors]
    if mode == "none":
        request.ws_extension_processors = []
    for processor in processors:
        if mode == "bits":
            processor.set_client_max_window_bits(10)
        if mode == "forget":
            processor.set_client_no_context_takeover(True)
        if mode == "inactive":
            processor.set_active(False)


def web_socket_transfer_data(request):
    if request.ws_resource.endswith("?bfinal"):
        request.ws_extension_processors[0].set_bfinal(True)
    if request.ws_resource.endswith("?plain"):
        request.ws_extension_processors[0].disable_outgoing_compression()
    request.ws_stream.send_message(repr(request.names))
    while (message := request.ws_stream.receive_message()) is not None:
        request.ws_stream.send_message(message, binary=isinstance(message, bytes))
        if message == "plain":
            request.ws_extension_processors[0].disable_outgoing_compression()
        if message == "compressed":
            request.ws_extension_processors[0].enable_outgoing_compression()
        if message == "parts":
            request.ws_stream.send_message("a" * 50, end=False)
            request.ws_stream.send_message("b" * 50, end=True)
