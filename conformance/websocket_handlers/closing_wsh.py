import ast


def web_socket_do_extra_handshake(request):
    pass


def web_socket_transfer_data(request):
    call = request.ws_stream.receive_message()
    if call is None:
        return
    request.ws_stream.close_connection(*ast.literal_eval(call))
    if call.endswith("False)"):
        request.ws_stream.close_connection()
        request.connection.write(b"not waited")
