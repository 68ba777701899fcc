"""HTTP/2, end to end: WebSocket over it, limits, cancellation, shutdown, TLS."""

import hashlib
import json
import socket
import ssl
import time

import pytest
from h2 import events
from h2.errors import ErrorCodes
from hyperframe.frame import DataFrame, GoAwayFrame

import running
from client import fetch
from http2 import Client
from websocket import BINARY, CLOSE, TEXT, Frame, binary, close, text

ECHO = """
    def web_socket_do_extra_handshake(request):
        if "refuse" in request.ws_resource:
            raise ValueError("refused")
        request.extra_headers.append(("X-Extra", request.ws_resource))
        if request.ws_requested_protocols:
            request.ws_protocol = request.ws_requested_protocols[0]

    def web_socket_transfer_data(request):
        while (message := request.ws_stream.receive_message()) is not None:
            if message == "fail":
                raise ValueError("failed")
            if message == "misuse":
                request.ws_stream.send_message(message, binary=True)
            request.ws_stream.send_message(message, binary=isinstance(message, bytes))
"""
# Writes until it is told that nobody listens, and leaves a file that says so.
ENDLESS = """
    import os, time
    def main(request, response):
        response.write_status_headers()
        place = os.path.join(request.doc_root, "outcome")
        open(place + ".begun", "w").close()
        deadline = time.monotonic() + 10
        while response.writer.write(b"x" * 1000) is not False and time.monotonic() < deadline:
            time.sleep(0.001)
        with open(place, "w") as file:
            file.write("late" if time.monotonic() >= deadline else "told")
"""


@pytest.fixture
def start(serve, write):
    """Start a server that speaks HTTP/2 without TLS."""

    def start(*options: str, **settings) -> running.Server:
        write("echo_wsh.py", ECHO)
        write("file.txt", "content")
        return serve("--h2c", *options, **settings)

    return start


# WebSocket (RFC 8441).


def test_settings_allow_extended_connect(start):
    with Client(start().address) as client:
        client.wait(lambda: client.h2.remote_settings.enable_connect_protocol, "the setting")


def test_websocket_echoes_and_closes(start):
    with Client(start().address) as client:
        stream = client.connect("/echo?a", ("sec-websocket-protocol", "one, two"))
        head = client.head(stream)
        assert head[":status"] == "200"
        assert (head["sec-websocket-protocol"], head["x-extra"]) == ("one", "/echo?a")
        # What RFC 8441, section 5, leaves out.
        assert not {"upgrade", "connection", "sec-websocket-accept"} & set(head)
        client.send(stream, text("\u00e9") + binary(b"\0\1"))
        client.flush()
        assert client.message(stream, 2) == [Frame(TEXT, "\u00e9".encode()), Frame(BINARY, b"\0\1")]
        client.send(stream, close(1000, "bye"))
        assert client.message(stream, 3)[2] == Frame(CLOSE, b"\x03\xe8")
        client.wait(lambda: client.events(stream, events.StreamEnded), "the end of the stream")
        assert client.fetch("/file.txt") == ("200", b"content")


def test_websockets_and_requests_share_a_connection(start):
    with Client(start().address) as client:
        streams = [client.connect("/echo") for _ in range(20)]
        for stream in streams:
            assert client.head(stream)[":status"] == "200"
            client.send(stream, text(str(stream)))
        assert client.fetch("/file.txt") == ("200", b"content")
        for stream in streams:
            assert client.message(stream) == [Frame(TEXT, str(stream).encode())]


def test_a_large_websocket_message_comes_back(start):
    with Client(start().address) as client:
        stream = client.connect("/echo")
        client.head(stream)
        payload = bytes(range(256)) * 2000
        client.send(stream, binary(payload))
        assert client.message(stream) == [Frame(BINARY, payload)]


def test_a_reset_ends_a_websocket(start):
    server = start()
    with Client(server.address) as client:
        stream = client.connect("/echo")
        client.head(stream)
        client.reset(stream)
        # The connection is none the worse.
        assert client.fetch("/file.txt") == ("200", b"content")
        other = client.connect("/echo")
        client.send(other, text("a"))
        assert client.message(other) == [Frame(TEXT, b"a")]


@pytest.mark.parametrize(
    ("path", "protocol", "status"),
    [("/none", "websocket", "404"), ("/echo?refuse", "websocket", "403"), ("/echo", "other", "501")],
)
def test_what_is_no_websocket_is_refused(start, path, protocol, status):
    with Client(start().address) as client:
        assert client.head(client.connect(path, protocol=protocol))[":status"] == status
        assert client.fetch("/file.txt") == ("200", b"content")


def test_failures_end_as_over_http1(start):
    """What the handler raises, a misuse of the API too, closes with 1011; it is told."""
    server = start()
    with Client(server.address) as client:
        stream, other = client.connect("/echo"), client.connect("/echo")
        client.send(stream, text("fail"))
        client.send(other, text("misuse"))
        assert client.message(stream) == [Frame(CLOSE, b"\x03\xf3")]
        assert client.message(other) == [Frame(CLOSE, b"\x03\xf3")]
    assert "echo_wsh.py" in server.log() and "ValueError: failed" in server.log()


# What a client does to its streams.


@pytest.mark.parametrize("slow", [False, True])
def test_a_reset_tells_a_writing_handler(start, write, doc_root, slow):
    write("endless.py", ENDLESS)
    with Client(start().address) as client:
        client.gives_room = not slow
        stream = client.ask("/endless.py")
        client.wait(lambda: len(client.data(stream)) > 2000, "content")
        client.reset(stream)
        running.wait_until((doc_root / "outcome").exists, what="the handler's end")
        running.wait_until((doc_root / "outcome").read_text)
        assert (doc_root / "outcome").read_text() == "told"
        assert client.fetch("/file.txt") == ("200", b"content")


def test_a_lost_connection_tells_a_writing_handler(start, write, doc_root):
    write("endless.py", ENDLESS)
    with Client(start().address) as client:
        stream = client.ask("/endless.py")
        client.wait(lambda: client.data(stream), "content")
    running.wait_until((doc_root / "outcome").exists, what="the handler's end")
    running.wait_until((doc_root / "outcome").read_text)
    assert (doc_root / "outcome").read_text() == "told"


@pytest.mark.parametrize("path", ["/file.txt", "/sleeps.py"])
def test_rapid_resets_do_no_harm(start, write, path):
    write("sleeps.py", """
        import time
        def main(request, response):
            time.sleep(0.02)
            return "slept"
    """)
    server = start()
    with Client(server.address) as client:
        for _ in range(3000):
            client.reset(client.ask(path))
        # Either it goes on, or it has had enough and says so.
        while not client.ended and client.read(0.3):
            pass
        terminated = client.events(0, events.ConnectionTerminated)
        assert not client.ended or terminated[-1].error_code == ErrorCodes.ENHANCE_YOUR_CALM
    assert fetch(server, "/sleeps.py").body == b"slept"
    assert "panic" not in server.log()
    assert server.memory() < 300 * 1024 * 1024


def test_a_large_upload_arrives(start, write):
    write("digest.py", """
        import hashlib
        def main(request, response):
            return f"{len(request.body)} {hashlib.sha256(request.body).hexdigest()}"
    """)
    body = bytes(range(251)) * (3 * 1024 * 1024 // 251)
    with Client(start().address) as client:
        expected = f"{len(body)} {hashlib.sha256(body).hexdigest()}".encode()
        assert client.fetch("/digest.py", "POST", body=body) == ("200", expected)


# Limits.


@pytest.mark.parametrize("announced", [True, False])
def test_max_body(start, write, announced):
    write("body.py", """
        def main(request, response):
            return str(len(request.body))
    """)
    server = start("--max-body", "1000")
    fields = [("content-length", "1001")] if announced else []
    with Client(server.address) as client:
        assert client.fetch("/body.py", "POST", body=b"x" * 1000) == ("200", b"1000")
        status, body = client.fetch("/body.py", "POST", *fields, body=b"x" * 1001)
        assert status == "413" and b"--max-body" in body
        assert client.fetch("/file.txt") == ("200", b"content")
    assert "413" in server.log()


def test_handler_timeout(start, write):
    write("sleeps.py", """
        import time
        def main(request, response):
            if b"begun" in request.GET:
                response.write_status_headers()
                response.writer.write(b"half")
            time.sleep(1.5)
    """)
    server = start("--handler-timeout", "0.3")
    with Client(server.address) as client:
        silent, begun = client.ask("/sleeps.py"), client.ask("/sleeps.py?begun")
        status, body = client.answer(silent)
        assert status == "504" and b"0.3 s" in body
        assert client.reset_code(begun) == ErrorCodes.INTERNAL_ERROR
        assert client.data(begun) == b"half"
        # A WebSocket lasts as long as its client likes.
        stream = client.connect("/echo")
        client.head(stream)
        time.sleep(0.5)
        client.send(stream, text("a"))
        assert client.message(stream) == [Frame(TEXT, b"a")]
    assert server.log().count("/sleeps.py") == 2


# What a handler sends beside a head and content.


def test_informational_responses_and_trailers(start, write):
    write("parts.py", """
        def main(request, response):
            writer = response.writer
            writer.write_informational(103, [("link", "</style.css>; rel=preload")])
            writer.write_headers([("x-a", "b")], 200)
            writer.write_data(b"content")
            writer.write_trailers([("x-trailer", "c")])
    """)
    with Client(start().address) as client:
        stream = client.ask("/parts.py")
        assert client.answer(stream) == ("200", b"content")
        [hints] = client.events(stream, events.InformationalResponseReceived)
        assert hints.headers == [(":status", "103"), ("link", "</style.css>; rel=preload")]
        [trailers] = client.events(stream, events.TrailersReceived)
        assert trailers.headers == [("x-trailer", "c")]


def test_a_stop_lets_a_response_end(start, write, doc_root):
    write("waits.py", """
        import os, time
        def main(request, response):
            response.write_status_headers()
            response.writer.write(b"first ")
            while not os.path.exists(request.doc_root + "/go"):
                time.sleep(0.005)
            response.writer.write(b"last")
    """)
    server = start()
    with Client(server.address) as client:
        stream = client.ask("/waits.py")
        client.wait(lambda: client.data(stream), "content")
        server.process.terminate()
        found = []
        for frame in client.frames():
            found.append(frame)
            if isinstance(frame, GoAwayFrame):
                (doc_root / "go").touch()
    # The last GOAWAY names the stream, and what was begun is whole.
    goaways = [frame for frame in found if isinstance(frame, GoAwayFrame)]
    assert goaways and goaways[-1].last_stream_id == stream, found
    assert {frame.error_code for frame in goaways} == {ErrorCodes.NO_ERROR}
    rest = [frame for frame in found if isinstance(frame, DataFrame)]
    assert b"".join(frame.data for frame in rest) == b"last"
    assert "END_STREAM" in rest[-1].flags
    assert server.process.wait(4) == 0


# TLS.


@pytest.fixture
def secure(serve, write, tmp_path):
    """Start a server with https and h2; its ports, and the trust in its authority."""

    def secure(*options: str):
        write("echo_wsh.py", ECHO)
        write("file.txt", "content")
        write("scheme.py", """
            def main(request, response):
                return f"{request.url_parts.scheme} {request.protocol_version}"
        """)
        config = tmp_path / "config.json"
        ports = {"http": ["auto"], "https": ["auto"], "h2": ["auto"]}
        config.write_text(json.dumps({"ports": ports}))
        server = serve("--config", config, *options, port=None)
        ports = {entry["scheme"]: entry["port"] for entry in server.ready["listeners"]}
        context = ssl.create_default_context(cafile=running.run("certs", "ca").stdout.strip())
        return server, ports, context

    return secure


def negotiated(port: int, context: ssl.SSLContext, *offered: str) -> str | None:
    """What a handshake agrees on."""
    context.set_alpn_protocols(offered)
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        with context.wrap_socket(connection, server_hostname="localhost") as encrypted:
            return encrypted.selected_alpn_protocol()


def test_alpn_on_the_h2_port(secure):
    _, ports, context = secure()
    assert negotiated(ports["h2"], context, "h2", "http/1.1") == "h2"
    assert negotiated(ports["https"], context, "h2", "http/1.1") in ("http/1.1", None)
    context.set_alpn_protocols(["h2"])
    with Client(("127.0.0.1", ports["h2"]), context) as client:
        assert client.fetch("/scheme.py") == ("200", b"https HTTP/2.0")
        stream = client.connect("/echo")
        client.send(stream, text("a"))
        assert client.message(stream) == [Frame(TEXT, b"a")]


def test_alpn_on_the_https_port(secure):
    _, ports, context = secure("--alpn-h2")
    assert negotiated(ports["https"], context, "http/1.1") == "http/1.1"
    assert negotiated(ports["https"], context, "h2", "http/1.1") == "h2"
    context.set_alpn_protocols(["h2"])
    with Client(("127.0.0.1", ports["https"]), context) as client:
        assert client.fetch("/file.txt") == ("200", b"content")
