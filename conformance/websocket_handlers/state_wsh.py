import threading

COUNT = []
LOCK = threading.Lock()


def web_socket_do_extra_handshake(request):
    with LOCK:
        COUNT.append(request.ws_resource)


def web_socket_transfer_data(request):
    import urllib

    query = urllib.parse.urlsplit(request.ws_resource).query
    request.ws_stream.send_message(str(COUNT.count(request.ws_resource)) + query)
