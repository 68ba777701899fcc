"""Clients that leave while they are waited for, or that never read."""

import contextlib
import os
import socket
import ssl
import struct
import time
import zlib

import pytest

import http2
import running
from client import connect, fetch, get, read_to_end
from websocket import CLOSE, TEXT, frame, text
from websocket import Client as WebSocketClient

MIB = 1024 * 1024
RESET = struct.pack("ii", 1, 0)


def is_there(doc_root, name: str):
    """Whether a handler has left this mark."""
    return (doc_root / name).exists


class Leaves:
    """Ways to leave: what a client does to its socket."""

    @staticmethod
    def close(connection: socket.socket) -> None:
        connection.close()

    @staticmethod
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.close()

    @staticmethod
    def half_close_then_close(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_WR)
        time.sleep(0.1)
        connection.close()


LEAVES = [Leaves.close, Leaves.reset, Leaves.half_close_then_close]

# Waits for a word to go on, then writes until it is told that nobody listens.
WAITS = """
    import os, time
    def main(request, response):
        mark = lambda name: os.path.join(request.doc_root, name)
        open(mark("begun"), "w").close()
        while not os.path.exists(mark("go")):
            time.sleep(0.005)
        response.write_status_headers()
        told = response.writer.write(b"x") is False
        open(mark("told" if told else "not told"), "w").close()
"""


def idle(server: running.Server) -> int:
    """How many descriptors it has while nobody is connected."""
    fetch(server, "/nothing")
    return running.steady_descriptors(server)


@pytest.mark.parametrize("leave", LEAVES)
@pytest.mark.parametrize("ahead", [b"", get("/nothing"), b"x" * 100_000])
def test_a_client_that_leaves_while_a_handler_sleeps(serve, write, doc_root, leave, ahead):
    """Its connection is closed meanwhile, and the handler's first write says so."""
    write("waits.py", WAITS)
    server = serve()
    before = idle(server)
    connection = socket.create_connection(server.address, timeout=10)
    connection.sendall(get("/waits.py") + ahead)
    running.wait_until(is_there(doc_root, "begun"))
    assert server.descriptors() > before
    leave(connection)
    running.wait_until(lambda: server.descriptors() <= before, what="the descriptor")
    (doc_root / "go").touch()
    running.wait_until(is_there(doc_root, "told"))


def test_a_half_closed_client_is_not_gone(serve, write, doc_root):
    """It may wait for as long as it likes (RFC 9112, section 9.6), as with the reference."""
    write("waits.py", WAITS)
    server = serve()
    with connect(server) as connection:
        connection.send(get("/waits.py"))
        connection.socket.shutdown(socket.SHUT_WR)
        running.wait_until(is_there(doc_root, "begun"))
        # Longer than it takes to look for the client again.
        time.sleep(1.3)
        (doc_root / "go").touch()
        assert read_to_end(connection).endswith(b"\r\n\r\nx")


@pytest.mark.parametrize("leave", LEAVES)
def test_clients_that_leave_while_a_trickle_waits(serve, write, leave):
    write("a.txt", "content")
    server = serve()
    before = idle(server)
    with contextlib.ExitStack() as stack:
        crowd = []
        for _ in range(100):
            connection = socket.create_connection(server.address, timeout=10)
            stack.enter_context(connection)
            connection.sendall(get("/a.txt?pipe=trickle(0:d1000000:r2)"))
            crowd.append(connection)
        for connection in crowd:
            assert connection.recv(5) == b"HTTP/"
        assert server.descriptors() >= before + 100
        for connection in crowd:
            leave(connection)
        running.wait_until(lambda: server.descriptors() <= before, what="the descriptors")


def test_a_half_closed_client_reads_its_trickle(serve, write):
    write("a.txt", "content")
    server = serve()
    with connect(server) as connection:
        connection.send(get("/a.txt?pipe=trickle(1:d1.3:100)"))
        connection.socket.shutdown(socket.SHUT_WR)
        assert read_to_end(connection).endswith(b"\r\n\r\ncontent")


GENERATORS = {
    "without content": 'yield b""',
    "text without content": 'yield ""',
    "of functions": 'yield lambda: None',
    "with content": 'yield b"x"',
}


@pytest.mark.parametrize("part", GENERATORS)
@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
def test_a_generator_is_closed_when_its_client_left(serve, write, doc_root, part, protocol):
    write("yields.py", f"""
        import os, time
        def main(request, response):
            mark = lambda name: open(os.path.join(request.doc_root, name), "w").close()
            def parts():
                try:
                    while True:
                        {GENERATORS[part]}
                        mark("begun")
                        time.sleep(0.005)
                except GeneratorExit:
                    mark("closed")
                    raise
                finally:
                    mark("ended")
            return [], parts()
    """)
    server = serve("--h2c")
    if protocol == "h2":
        client = http2.Client(server.address)
        stream = client.ask("/yields.py")
        running.wait_until(is_there(doc_root, "begun"))
        client.reset(stream)
    else:
        connection = socket.create_connection(server.address, timeout=10)
        connection.sendall(get("/yields.py"))
        running.wait_until(is_there(doc_root, "begun"))
        connection.close()
    running.wait_until(is_there(doc_root, "ended"))
    assert (doc_root / "closed").exists()
    assert server.log() == ""


def tls(server: running.Server, *protocols: str) -> ssl.SSLSocket:
    """An encrypted connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(list(protocols))
    port = next(at["port"] for at in server.ready["listeners"] if at["scheme"] == "https")
    connection = socket.create_connection((server.host, port), timeout=10)
    return context.wrap_socket(connection, server_hostname="localhost")


@pytest.fixture
def serve_https(serve, tmp_path):
    """Start a server with a port for HTTPS beside the one for HTTP."""

    def start(*options: str) -> running.Server:
        config = tmp_path / "config.json"
        config.write_text('{"ports": {"http": [0], "https": [0]}}')
        return serve("--config", str(config), *options, port=None)

    return start


@pytest.mark.parametrize("leave", [*LEAVES, "close_notify"])
def test_an_encrypted_client_that_leaves_while_a_handler_sleeps(
    serve_https, write, doc_root, leave
):
    write("waits.py", WAITS)
    server = serve_https()
    before = idle(server)
    connection = tls(server)
    connection.sendall(get("/waits.py"))
    running.wait_until(is_there(doc_root, "begun"))
    if leave == "close_notify":
        connection.setblocking(False)
        with contextlib.suppress(ssl.SSLWantReadError):
            connection.unwrap()
        connection.close()
    else:
        leave(connection)
    running.wait_until(lambda: server.descriptors() <= before, what="the descriptor")
    (doc_root / "go").touch()
    running.wait_until(is_there(doc_root, "told"))


@pytest.mark.parametrize("how", ["reset", "close"])
def test_an_http_2_client_that_leaves_while_a_handler_sleeps(serve, write, doc_root, how):
    write("waits.py", WAITS)
    server = serve("--h2c")
    before = idle(server)
    with http2.Client(server.address) as client:
        stream = client.ask("/waits.py")
        running.wait_until(is_there(doc_root, "begun"))
        if how == "reset":
            client.reset(stream)
            # An answer shows that the reset has come.
            client.fetch("/nothing")
            (doc_root / "go").touch()
            running.wait_until(is_there(doc_root, "told"))
    running.wait_until(lambda: server.descriptors() <= before, what="the descriptor")
    (doc_root / "go").touch()
    running.wait_until(is_there(doc_root, "told"))


def test_http_2_clients_that_leave_while_a_trickle_waits(serve, write):
    write("a.txt", "content")
    server = serve("--h2c")
    before = idle(server)
    with http2.Client(server.address) as client:
        for _ in range(50):
            client.head(client.ask("/a.txt?pipe=trickle(0:d1000000:r2)"))
    running.wait_until(lambda: server.descriptors() <= before, what="the descriptor")


# Clients that never read. The limit is short here, and the writes are more than sockets hold.

ENDLESS = """
    import os
    def main(request, response):
        response.write_status_headers()
        while response.writer.write(b"x" * 65536):
            pass
        open(os.path.join(request.doc_root, "told"), "w").close()
"""


def test_a_client_that_never_reads_is_given_up(serve, write, doc_root):
    write("endless.py", ENDLESS)
    server = serve("--write-timeout", "0.5")
    before = idle(server)
    with socket.create_connection(server.address, timeout=10) as connection:
        connection.sendall(get("/endless.py"))
        running.wait_until(is_there(doc_root, "told"))
        running.wait_until(lambda: server.descriptors() <= before, what="the descriptor")
        with pytest.raises(ConnectionResetError):
            while connection.recv(MIB):
                pass
    assert "took nothing for 0.5 s and was given up (--write-timeout)" in server.log()


@pytest.mark.parametrize("path", ["/large.bin", "/large.bin?pipe=slice(1)", "/large.bin?pipe=trickle(d0)"])
@pytest.mark.parametrize("secure", [False, True])
def test_a_client_that_never_reads_a_file_is_given_up(serve_https, doc_root, path, secure):
    with open(doc_root / "large.bin", "wb") as file:
        file.truncate(64 * MIB)
    server = serve_https("--write-timeout", "0.5")
    before = idle(server)
    connection = tls(server) if secure else socket.create_connection(server.address, timeout=10)
    with connection:
        connection.sendall(get(path))
        running.wait_until(lambda: server.descriptors() > before, what="the connection")
        running.wait_until(lambda: server.descriptors() <= before, what="the descriptor")


def test_a_client_that_reads_slowly_is_not_given_up(serve, doc_root):
    """What the sockets hold takes it longer than the limit; it makes progress all the same."""
    size = 8 * MIB
    with open(doc_root / "large.bin", "wb") as file:
        file.truncate(size)
    server = serve("--write-timeout", "1")
    connection = socket.socket()
    with connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.settimeout(10)
        connection.connect(server.address)
        connection.sendall(get("/large.bin", "Connection: close"))
        received = 0
        begun = time.monotonic()
        while data := connection.recv(65536):
            received += len(data)
            if time.monotonic() - begun < 4:
                time.sleep(0.1)
        assert received > size


def test_a_connection_that_was_taken_over_may_stall(serve, write, doc_root):
    write("takes.py", """
        import os
        def main(request, response):
            connection = response.writer.take_over()
            connection.write(b"x" * 16_000_000)
            connection.write(b"end")
            open(os.path.join(request.doc_root, "written"), "w").close()
    """)
    server = serve("--write-timeout", "0.3")
    with socket.create_connection(server.address, timeout=10) as connection:
        connection.sendall(get("/takes.py"))
        # Much longer than the limit.
        time.sleep(1.5)
        received = bytearray()
        while data := connection.recv(MIB):
            received += data
    assert received.endswith(b"xend") and len(received) == 16_000_003


@pytest.mark.parametrize("why", ["window", "socket"])
def test_an_http_2_client_that_never_reads_is_given_up(serve, write, doc_root, why):
    """It gives no room to a stream, or reads nothing from the connection."""
    write("endless.py", ENDLESS)
    server = serve("--h2c", "--write-timeout", "0.5")
    with http2.Client(server.address) as client:
        if why == "window":
            client.gives_room = False
            stream = client.ask("/endless.py")
            client.reset_code(stream)
            # The connection goes on, with the room that the stream took of it.
            client.h2.increment_flow_control_window(2**16)
            assert client.fetch("/nothing")[0] == "404"
        else:
            client.h2.increment_flow_control_window(2**31 - 70000)
            stream = client.ask("/endless.py")
            client.h2.increment_flow_control_window(2**31 - 70000, stream)
            client.flush()
        running.wait_until(is_there(doc_root, "told"))


# WebSocket.

ECHO = """
    import os
    def web_socket_do_extra_handshake(request):
        pass

    def web_socket_transfer_data(request):
        while (message := request.ws_stream.receive_message()) is not None:
            request.ws_stream.send_message(message, binary=isinstance(message, bytes))
"""


@pytest.mark.parametrize("mistake", [
    frame(TEXT, b"\xff"), frame(TEXT, b"", rsv=1), text("close me"), text("misuse"),
], ids=["not UTF-8", "a reserved bit", "nothing", "the handler's"])
def test_a_close_that_the_client_does_not_answer_has_an_end(serve, write, mistake):
    write("echo_wsh.py", ECHO.replace(
        "            request.ws_stream.send_message",
        """
            if message == "close me":
                return
            if message == "misuse":
                request.ws_stream.send_message("text", binary=True)
            request.ws_stream.send_message""",
    ))
    server = serve("--ws-on-http", "--write-timeout", "0.3")
    before = idle(server)
    with WebSocketClient(server.address) as client:
        assert client.open("/echo").startswith(b"HTTP/1.1 101 ")
        client.send(mistake)
        assert client.frame().opcode == CLOSE
        running.wait_until(lambda: server.descriptors() <= before, what="the descriptor")
    assert server.log() == ""


def test_a_websocket_client_that_never_reads_is_given_up(serve, write, doc_root):
    write("endless_wsh.py", """
        import os
        def web_socket_do_extra_handshake(request):
            request.root = os.path.dirname(__file__)

        def web_socket_transfer_data(request):
            try:
                while True:
                    request.ws_stream.send_message(b"x" * 65536, binary=True)
            except BrokenPipeError:
                open(os.path.join(request.root, "told"), "w").close()
    """)
    server = serve("--ws-on-http", "--write-timeout", "0.5")
    with WebSocketClient(server.address) as client:
        assert client.open("/endless").startswith(b"HTTP/1.1 101 ")
        running.wait_until(is_there(doc_root, "told"))


@pytest.mark.parametrize("leave", LEAVES)
def test_a_websocket_client_that_leaves_while_a_handler_sleeps(serve, write, doc_root, leave):
    write("waits_wsh.py", """
        import os, time
        def web_socket_do_extra_handshake(request):
            pass

        def web_socket_transfer_data(request):
            mark = lambda name: os.path.join(os.path.dirname(__file__), name)
            open(mark("begun"), "w").close()
            while not os.path.exists(mark("go")):
                time.sleep(0.005)
            try:
                request.ws_stream.send_message("late")
            except BrokenPipeError:
                open(mark("told"), "w").close()
    """)
    server = serve("--ws-on-http")
    before = idle(server)
    with WebSocketClient(server.address) as client:
        assert client.open("/waits").startswith(b"HTTP/1.1 101 ")
        running.wait_until(is_there(doc_root, "begun"))
        leave(client.socket)
        running.wait_until(lambda: server.descriptors() <= before, what="the descriptor")
        (doc_root / "go").touch()
        running.wait_until(is_there(doc_root, "told"))


def test_a_close_is_received_although_its_client_does_not_wait(serve, write, doc_root):
    """As with the reference, whose answer to a close finds its way into the buffer of a socket."""
    write("closes_wsh.py", """
        import os, time
        def web_socket_do_extra_handshake(request):
            pass

        def web_socket_transfer_data(request):
            mark = lambda name: os.path.join(os.path.dirname(__file__), name)
            while not os.path.exists(mark("go")):
                time.sleep(0.005)
            said = [request.ws_stream.receive_message(), request.ws_stream.receive_message()]
            if said == ["last", None] and request.ws_close_code == 4001:
                open(mark("received"), "w").close()
    """)
    server = serve("--ws-on-http")
    before = idle(server)
    with WebSocketClient(server.address) as client:
        assert client.open("/closes").startswith(b"HTTP/1.1 101 ")
        client.send(frame(9, b"ping") + text("last") + frame(CLOSE, (4001).to_bytes(2, "big")))
    running.wait_until(lambda: server.descriptors() <= before, what="the descriptor")
    (doc_root / "go").touch()
    running.wait_until(is_there(doc_root, "received"))


def bomb(size: int) -> bytes:
    """A compressed message of so many zeros."""
    deflater = zlib.compressobj(wbits=-15)
    data = deflater.compress(bytes(size)) + deflater.flush(zlib.Z_SYNC_FLUSH)
    return frame(2, data[:-4], rsv=0b100)


def test_deflate_bombs_on_many_connections_share_their_memory(serve, write, doc_root):
    """One message may be as long as is allowed; eight at once may not take eight times as much."""
    write("holds_wsh.py", """
        import os, time
        def web_socket_do_extra_handshake(request):
            pass

        def web_socket_transfer_data(request):
            message = request.ws_stream.receive_message()
            while not os.path.exists(os.path.join(os.path.dirname(__file__), "go")):
                time.sleep(0.005)
            request.ws_stream.send_message(str(len(message)))
    """)
    server = serve("--ws-on-http", "--max-message", str(64 * MIB))
    before = server.memory()
    data = bomb(63 * MIB)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(WebSocketClient(server.address)) for _ in range(8)]
        for client in clients:
            offer = "Sec-WebSocket-Extensions: permessage-deflate"
            assert client.open("/holds", offer).startswith(b"HTTP/1.1 101 ")
            client.send(data)
        # Those that are refused are told so at once.
        running.wait_until(lambda: server.log_so_far().count("a message is refused") == 7, 60)
        assert server.peak_memory() - before < 300 * MIB
        (doc_root / "go").touch()
        ends = [str(client.frame()) for client in clients]
    assert sorted(ends)[:7] == ["close 1009 b''"] * 7
    assert sorted(ends)[7].startswith("text ")
