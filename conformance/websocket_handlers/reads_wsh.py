def web_socket_do_extra_handshake(request):
    pass


def web_socket_transfer_data(request):
    connection = request.connection
    say = request.ws_stream.send_message
    say(repr(connection.read(100)))
    say(repr(connection.read(2)))
    say(repr(connection.read(100)))
    say(repr(connection.read(0)))
    say("in parts")
    say(repr(request.ws_stream.receive_bytes(4)))
    say(repr(connection.write(bytearray(b"\x81\x02ok"))))
    connection.write(memoryview(b"\x81\x02ok"))
    try:
        connection.write("text")
    except TypeError:
        say("TypeError")
    say(repr(connection.get_memorized_lines()))
    say(repr(connection.get_remote_addr() == connection.remote_addr))
    say(repr(connection.get_local_addr() == connection.local_addr))
    say("to the end")
    say(repr(connection.read(-1)))
    say(repr(connection.read(5)))
