import ast
from urllib.parse import unquote


def web_socket_do_extra_handshake(request):
    pass


def web_socket_transfer_data(request):
    request.ws_stream.receive_message()


def web_socket_passive_closing_handshake(request):
    return ast.literal_eval(unquote(request.ws_resource.partition("?")[2]))
