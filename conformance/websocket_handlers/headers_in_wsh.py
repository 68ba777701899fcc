def web_socket_do_extra_handshake(request):
    pass


def web_socket_transfer_data(request):
    headers = request.headers_in
    say = lambda value: request.ws_stream.send_message(repr(value))
    say(headers.get("X-Multi"))
    say(headers.get_all("x-multi"))
    say("X-MULTI" in headers)
    say(headers["Host"][:9])
    say(headers.get("X-None", "default"))
    say(headers.get("X-High"))
    say([name for name in headers.keys() if name.lower().startswith("x-")])
    say(sorted(dict(headers))[:2])
