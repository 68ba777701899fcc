"""WebSocket, end to end: many at once, limits, the log, the options, and the two names."""

import re
import resource
import socket

import pytest

import running
import websocket
from client import fetch, head
from websocket import BINARY, CLOSE, TEXT, Client, binary, close, frame, handshake, text

MIB = 1024 * 1024

ECHO = """
    def web_socket_do_extra_handshake(request):
        pass

    def web_socket_transfer_data(request):
        while (message := request.ws_stream.receive_message()) is not None:
            request.ws_stream.send_message(message, binary=isinstance(message, bytes))
"""


@pytest.fixture
def start(serve, write, tmp_path):
    """Start a server that answers WebSocket on its port for HTTP."""

    def start(*options: str, **settings):
        write("echo_wsh.py", ECHO)
        return serve("--ws-on-http", *options, **settings)

    return start


def said(server, resource: str, *steps: bytes, frames: int = 1) -> list[websocket.Frame]:
    """The frames that come back."""
    with Client(server.address) as client:
        assert client.open(resource).startswith(b"HTTP/1.1 101 "), client.head
        for step in steps:
            client.send(step)
        return [client.frame() for _ in range(frames)]


def test_a_port_for_http_answers_both(start, write):
    write("page.html", "a page")
    server = start()
    assert said(server, "/echo", text("a")) == [websocket.Frame(TEXT, b"a")]
    assert fetch(server, "/page.html").body == b"a page"
    assert fetch(server, "/echo_wsh.py").status != 101
    # The next request on the same connection may be a handshake.
    with Client(server.address) as client:
        client.send(head("GET", "/page.html"))
        while not client.received.endswith(b"a page"):
            assert client.read(5)
        client.received = b""
        assert client.open("/echo").startswith(b"HTTP/1.1 101 ")


def test_without_the_option_a_port_for_http_is_one(serve, write):
    write("echo_wsh.py", ECHO)
    server = serve()
    with Client(server.address) as client:
        assert client.open("/echo").startswith(b"HTTP/1.1 404 ")


def test_without_a_python_it_says_so(start, tmp_path):
    server = start(python=None, env={"PATH": str(tmp_path)})
    with Client(server.address) as client:
        assert client.open("/echo").startswith(b"HTTP/1.1 501 ")
        while b"WebSocket handlers cannot be run" not in client.parser.buffer + client.received:
            assert client.read(5)


def test_failures_are_told_with_file_and_line(start, write):
    path = write("fails_wsh.py", """
        def web_socket_do_extra_handshake(request):
            if request.ws_resource.endswith("?early"):
                raise ValueError("early")
            if request.ws_resource.endswith("?within"):
                request.connection.write("text")

        def web_socket_transfer_data(request):
            raise ValueError("late")
    """)
    server = start()
    with Client(server.address) as client:
        assert client.open("/fails?early").startswith(b"HTTP/1.0 403 ")
    with Client(server.address) as client:
        assert client.open("/fails?within").startswith(b"HTTP/1.0 403 ")
    with Client(server.address) as client:
        assert client.open("/fails?late").startswith(b"HTTP/1.1 101 ")
        assert client.frame() == websocket.Frame(CLOSE, b"\x03\xf3")
        assert client.frame() is None and client.ended
    log = server.log()
    assert f"{path}:4 failed for http://localhost:80/fails?early" in log
    assert f"{path}:6 failed for http://localhost:80/fails?within" in log
    assert f"{path}:9 failed for http://localhost:80/fails?late" in log
    assert "ValueError: early" in log and "ValueError: late" in log
    assert "<embedded>" not in log


def test_a_client_that_leaves_is_no_failure(start, write, doc_root):
    write("floods_wsh.py", """
        def web_socket_do_extra_handshake(request):
            pass

        def web_socket_transfer_data(request):
            try:
                while True:
                    request.ws_stream.send_message("x" * 10000)
            finally:
                open(__file__ + ".ended", "w").close()
    """)
    server = start()
    with Client(server.address) as client:
        client.open("/floods")
        client.frame()
    running.wait_until((doc_root / "floods_wsh.py.ended").exists, what="the handler's end")
    with Client(server.address) as client:
        client.open("/echo")
    assert "failed" not in server.log()


def test_messages_have_a_limit(start):
    server = start("--max-message", "1000")
    assert said(server, "/echo", binary(b"x" * 1000)) == [websocket.Frame(BINARY, b"x" * 1000)]
    too_big = [websocket.Frame(CLOSE, (1009).to_bytes(2, "big"))]
    # A frame; fragments; what is short only while it is compressed; a frame that never ends.
    assert said(server, "/echo", binary(b"x" * 1001)) == too_big
    parts = frame(BINARY, b"x" * 600, fin=False), frame(0, b"x" * 600)
    assert said(server, "/echo", *parts) == too_big
    assert said(server, "/echo", b"\x82\xff\x00\x00\x00\x10\x00\x00\x00\x00") == too_big
    bomb = frame(BINARY, websocket.Deflater().compress(b"\0" * 100_000), rsv=4)
    with Client(server.address) as client:
        client.open("/echo", "Sec-WebSocket-Extensions: permessage-deflate")
        client.send(bomb)
        assert [client.frame()] == too_big


def test_a_file_is_loaded_anew_only_with_reload(start, write):
    source = """
        def web_socket_do_extra_handshake(request):
            pass

        def web_socket_transfer_data(request):
            request.ws_stream.send_message("%s")
    """
    for options, second in [((), b"first"), (("--reload",), b"second")]:
        write("says_wsh.py", source % "first")
        server = start(*options)
        assert said(server, "/says")[0].payload == b"first"
        write("says_wsh.py", source % "second")
        assert said(server, "/says")[0].payload == second
        write("says_wsh.py", "no Python")
        with Client(server.address) as client:
            assert client.open("/says").split()[1] == (b"404" if options else b"101")
        assert ("a handler is left out" in server.log()) == bool(options)


def test_the_names_are_ours_in_handlers_and_an_installed_package_elsewhere(start, write, doc_root):
    # The document root is on sys.path, as site-packages is.
    write("pywebsocket3/__init__.py", "theirs = True")
    write("pywebsocket3/msgutil.py", "theirs = True")
    write("helper.py", """
        import pywebsocket3
        from pywebsocket3 import msgutil
        theirs = pywebsocket3.theirs and msgutil.theirs

        def fallback():
            # Nobody else has this name.
            from mod_pywebsocket import common
            return common
    """)
    write("names_wsh.py", """
        import mod_pywebsocket.handshake.hybi
        import pywebsocket3 as package
        from pywebsocket3 import common, msgutil
        import helper

        def web_socket_do_extra_handshake(request):
            pass

        def web_socket_transfer_data(request):
            from mod_pywebsocket import msgutil as again
            import pywebsocket3.stream
            same = [
                again is msgutil, mod_pywebsocket is package, helper.theirs,
                helper.fallback() is common, package.stream is pywebsocket3.stream,
                hasattr(package, "theirs"), mod_pywebsocket.handshake.hybi.__name__,
            ]
            msgutil.send_message(request, repr(same))
    """)
    write("handler.py", """
        def main(request, response):
            import pywebsocket3
            return repr(pywebsocket3.theirs)
    """)
    server = start()
    assert said(server, "/names")[0].payload == (
        b"[True, True, True, True, True, False, 'wptserve.pywebsocket.handshake.hybi']"
    )
    assert fetch(server, "/handler.py").body == b"True"


def test_a_helper_gets_ours_when_none_is_installed(start, write):
    write("helper.py", """
        from pywebsocket3 import msgutil
        import mod_pywebsocket.stream
        Failed = msgutil.BadOperationException
    """)
    write("helped_wsh.py", """
        import helper
        from mod_pywebsocket import msgutil

        def web_socket_do_extra_handshake(request):
            pass

        def web_socket_transfer_data(request):
            msgutil.send_message(request, repr(helper.Failed is msgutil.BadOperationException))
    """)
    # Without the site-packages of the environment, where pywebsocket3 may be.
    server = start(env={"PYTHONNOUSERSITE": "1"})
    answer = said(server, "/helped")[0].payload
    installed = running.subprocess.run(
        [running.python(), "-c", "import pywebsocket3"], capture_output=True).returncode == 0
    assert answer == (b"False" if installed else b"True")


def test_a_stop_ends_open_connections(start):
    server = start()
    with Client(server.address) as client:
        client.open("/echo")
        code, seconds = server.stop()
        assert code == 0 and seconds < 2
        assert client.frame() is None and client.ended


def test_five_thousand_idle_connections(start, write):
    count = 5000
    write("page.html", "a page")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count + 100:
        pytest.skip(f"only {hard} file descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 200), hard))
    server = start()
    opening = handshake("/echo")
    connections = []
    try:
        for number in range(count):
            connection = socket.create_connection(server.address, 20)
            connection.sendall(opening)
            connections.append(connection)
            if number % 100 == 99:
                for other in connections[-100:]:
                    assert other.recv(1000).startswith(b"HTTP/1.1 101 ")
        assert server.memory() < 500 * MIB, f"{server.memory() // MIB} MiB"
        for connection in (connections[0], connections[-1]):
            connection.sendall(text("still there"))
            assert connection.recv(100) == frame(TEXT, b"still there", key=None)
        # Others are served meanwhile.
        assert fetch(server, "/page.html").body == b"a page"
    finally:
        for connection in connections:
            connection.close()
    running.wait_until(lambda: server.descriptors() < 100, 30, "the connections' end")


def test_one_too_many_is_refused(start):
    server = start("--max-websockets", "3")
    with Client(server.address) as a, Client(server.address) as b, Client(server.address) as c:
        for client in (a, b, c):
            assert client.open("/echo").startswith(b"HTTP/1.1 101 ")
        with Client(server.address) as late:
            assert late.open("/echo").startswith(b"HTTP/1.1 503 ")
        c.send(close(1000))
        assert c.frame().opcode == CLOSE

    def opens() -> bool:
        with Client(server.address) as client:
            return client.open("/echo").startswith(b"HTTP/1.1 101 ")

    running.wait_until(opens)
    assert re.search(r"warning: websocket: 3 WebSockets are open; no more can be", server.log())
