"""Requests and responses over HTTP/2: as lenient as HTTP is, as costly, and in time."""

import contextlib
import struct

import pytest
from h2 import events
from h2.errors import ErrorCodes

import running
from client import fetch
from http2 import (
    DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PREFACE, RST, Client, Raw, block, frame,
    literal, settings,
)

SEES = """
    def main(request, response):
        seen = [request.url_parts.netloc, request.headers.get("host"), request.headers.get("x-a"),
                request.GET.first(b"q", None), request.request_path]
        return 200, [("Content-Type", "text/plain")], repr(seen)
"""
BODY = """
    def main(request, response):
        return request.body
"""


@pytest.fixture
def start(serve, write):
    """Start a server that speaks HTTP/2 without TLS."""

    def start(*options: str) -> running.Server:
        write("sees.py", SEES)
        write("body.py", BODY)
        write("file.txt", "content")
        return serve("--h2c", *options)

    return start


def seen(client: Client, *arguments, **options) -> list:
    status, body = client.fetch(*arguments, **options)
    assert status == "200", body
    return eval(body)


# Heads.


@pytest.mark.parametrize("value", ["a\x0bb", "\x01", "a\x7fb", "a\tb", "\xe9\xff", '"'])
def test_a_field_value_is_what_it_may_be_over_http1(start, value):
    """The library's types refuse control characters, and end the connection."""
    server = start()
    over_http1 = fetch(server, "/sees.py", headers={"X-A": value}).body
    with Client(server.address) as client:
        assert seen(client, "/sees.py", "GET", ("x-a", value.encode("latin-1")))[2] == value.encode("latin-1")
        assert eval(over_http1)[2] == value.encode("latin-1")
        assert client.fetch("/file.txt") == ("200", b"content")


@pytest.mark.parametrize("query", ['"x"', "<>", "`{}|\\^", "\xe9", "a[]=b#c"])
def test_a_path_is_what_it_may_be_over_http1(start, query):
    """The library's types refuse quotation marks, and reset the stream."""
    with Client(start().address) as client:
        expected = query.partition("#")[0].encode("latin-1")
        assert seen(client, f"/sees.py?q={query}".encode("latin-1"))[3] == expected


def test_the_authority_counts_and_not_a_host_that_differs(start):
    """RFC 9113, section 8.3.1."""
    with Client(start().address) as client:
        netloc, host, *_ = seen(client, "/sees.py", "GET", ("host", "b.test"))
        assert (netloc.partition(":")[0], host) == ("a.test", b"a.test")


MALFORMED = {
    "an upper-case name": [("X-A", "b")],
    "a space in a name": [("x a", "b")],
    "NUL": [("x-a", "a\0b")],
    "CR": [("x-a", "a\rb")],
    "LF": [("x-a", "a\nb")],
    "white space before a value": [("x-a", " a")],
    "white space behind a value": [("x-a", "a\t")],
    "a field of the connection": [("connection", "close")],
    "a transfer coding": [("transfer-encoding", "chunked")],
    "another te": [("te", "gzip")],
    "a late pseudo-header field": [("x-a", "b"), (":path", "/")],
    "an unknown pseudo-header field": [(":x", "y")],
    "a pseudo-header field twice": [(":path", "/")],
    "a length that is not a number": [("content-length", "x")],
    "two lengths": [("content-length", "1"), ("content-length", "2")],
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_request_ends_its_own_stream(start, what):
    """RFC 9113, section 8.1.1: a stream error of type PROTOCOL_ERROR."""
    with Raw((server := start()).address) as client:
        client.head(1, *MALFORMED[what])
        assert client.until(1, RST)[3] == struct.pack(">I", ErrorCodes.PROTOCOL_ERROR)
        client.head(3, path="/file.txt")
        assert client.until(3, HEADERS)[3].startswith(b"\x88")
    running.wait_until(lambda: "stream 1: " in server.log(), what="a line in the log")


def test_malformed_trailers_end_their_own_stream(start):
    with Raw(start().address) as client:
        client.head(1, flags=0, path="/body.py", method="POST")
        client.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, literal("X-A", "b")))
        assert client.until(1, RST)[3] == struct.pack(">I", ErrorCodes.PROTOCOL_ERROR)
        client.head(3, flags=0, path="/body.py", method="POST")
        client.send(frame(HEADERS, END_STREAM | END_HEADERS, 3, literal("x-a", "b\x0bc")))
        assert client.until(3, HEADERS)[3].startswith(b"\x88")


@pytest.mark.parametrize("what", [b"\x80", b"\xff\xff\xff\xff\xff\xff", b"\x00\x01a\x81\x1e", b"\x40"])
def test_a_broken_header_block_ends_the_connection(start, what):
    """RFC 9113, section 4.3: a connection error of type COMPRESSION_ERROR."""
    with Raw((server := start()).address) as client:
        client.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, block() + what))
        assert client.until(0, GOAWAY)[3][4:8] == struct.pack(">I", ErrorCodes.COMPRESSION_ERROR)
    assert fetch(server, "/file.txt").body == b"content"


def test_a_head_that_is_too_long_is_answered(start):
    """As over HTTP/1.1, with 431 or 414; the connection goes on."""
    with Client(start().address) as client:
        many = [("x", "y")] * 600
        assert client.fetch("/sees.py", "GET", *many)[0] == "431"
        assert client.fetch("/sees.py", "GET", ("x", "y" * 70_000))[0] == "431"
        assert client.fetch("/" + "x" * 70_000)[0] == "414"
        assert client.fetch("/sees.py", "GET", *[("x", "a" * 60_000)] * 20)[0] == "431"
        assert client.fetch("/sees.py", "GET", *[("cookie", f"a{n}=b") for n in range(600)])[0] == "200"


def test_the_peer_that_expects_a_100_gets_it(start):
    """As over HTTP/1.1, before the request's body is sent."""
    with Client(start().address) as client:
        expects = ("expect", "100-continue")
        stream = client.ask("/body.py", "POST", expects, body=b"", end=False)
        informed = events.InformationalResponseReceived
        client.wait(lambda: client.events(stream, informed), "100")
        assert client.events(stream, informed)[0].headers[0] == (":status", "100")
        client.send(stream, b"body", end=True)
        assert client.answer(stream) == ("200", b"body")
        # Without a body there is nothing to wait for.
        stream = client.ask("/file.txt", "GET", expects)
        assert client.answer(stream)[0] == "200" and not client.events(stream, informed)


def test_fields_that_are_repeated_in_a_websocket_handshake_are_all_sent(start, write):
    write("cookies_wsh.py", """
        def web_socket_do_extra_handshake(request):
            request.extra_headers += [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
        def web_socket_transfer_data(request):
            pass
    """)
    with Client(start().address) as client:
        stream = client.connect("/cookies")
        client.head(stream)
        fields = client.events(stream, events.ResponseReceived)[0].headers
        assert [value for name, value in fields if name == "set-cookie"] == ["a=1", "b=2"]


# What heads cost.


def varint(value: int) -> bytes:
    """A number, as it stands behind a full prefix (RFC 7541, section 5.1)."""
    digits = b""
    while value >= 128:
        digits += bytes([128 | value & 127])
        value >>= 7
    return digits + bytes([value])


def bomb(streams: int, references: int) -> bytes:
    """Requests that refer again and again to one field of 4 KB, which the first one sends."""
    long = b"\x40\x03x-a\x7f" + varint(3900 - 127) + b"x" * 3900
    payloads = [block(path="/waits.py") + long]
    # The index of the newest field of the table is 62.
    payloads += [block(path="/waits.py") + b"\xbe" * references] * (streams - 1)
    frames = [
        frame(HEADERS, END_HEADERS | END_STREAM, 2 * number + 1, payload)
        for number, payload in enumerate(payloads)
    ]
    return b"".join(frames)


def test_heads_that_repeat_one_long_field_have_a_budget(start, write, doc_root):
    """300 KB became 1.4 GB, and stayed: now most streams are refused, and memory goes back."""
    write("waits.py", """
        import os, time
        def main(request, response):
            while not os.path.exists(request.doc_root + "/go"):
                time.sleep(0.02)
            return str(len(request.headers.get("x-a", b"")))
    """)
    server = start()
    fetch(server, "/file.txt")
    before = server.memory()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Raw(server.address)) for _ in range(5)]
        for client in clients:
            client.send(bomb(200, 250))
        for client in clients:
            # The first four or so fit.
            assert client.stream(399)[0][3] == struct.pack(">I", ErrorCodes.ENHANCE_YOUR_CALM)
        assert server.peak_memory() - before < 100 * 1024 * 1024
        assert fetch(server, "/file.txt").body == b"content"
        (doc_root / "go").touch()
        for client in clients:
            client.head(401, ("x-a", "again"), path="/waits.py")
            # What others have given back is there for those that follow.
            assert client.until(401, DATA)[3] == b"5"
    assert server.memory() - before < 100 * 1024 * 1024


# What is sent, and when.


def test_each_part_of_a_generator_is_sent_at_once(start, write, doc_root):
    """It came one part late: which is the last one shows only when the next is asked for."""
    write("parts.py", """
        import os, time
        def parts(root):
            for number in (b"1", b"2", b"3"):
                yield number
                while not os.path.exists(root + "/" + number.decode()):
                    time.sleep(0.005)
        def main(request, response):
            return parts(request.doc_root)
    """)
    with Client(start().address) as client:
        stream = client.ask("/parts.py")
        for expected in (b"1", b"12", b"123"):
            client.wait(lambda expected=expected: client.data(stream) == expected, "a part")
            assert not client.events(stream, events.StreamEnded)
            (doc_root / expected[-1:].decode()).touch()
        assert client.answer(stream) == ("200", b"123")
        # The end was not known before.
        assert client.events(stream, events.DataReceived)[-1].data == b""


@pytest.mark.parametrize("how", ["yield", "write", "write_data"])
def test_what_comes_before_a_failure_is_sent_before_the_reset(start, write, how):
    write("fails.py", """
        def parts():
            yield b"first "
            yield b"second"
            raise ValueError("failed")
        def main(request, response):
            how = request.GET.first(b"how")
            if how == b"yield":
                return parts()
            response.write_status_headers()
            write = getattr(response.writer, how.decode())
            for part in parts():
                write(part)
    """)
    server = start()
    with Client(server.address) as client:
        stream = client.ask(f"/fails.py?how={how}")
        assert client.reset_code(stream) == ErrorCodes.INTERNAL_ERROR
        assert client.data(stream) == b"first second"
        assert client.fetch("/file.txt") == ("200", b"content")
    assert "ValueError: failed" in server.log()


WITHOUT = """
    def main(request, response):
        status = int(request.GET.first(b"status"))
        how = request.GET.first(b"how")
        if how == b"return":
            return status, [("X-A", "b")], "content"
        if how == b"list":
            return status, [("X-A", "b")], ["con", lambda: "tent"]
        if how == b"yield":
            return status, [("X-A", "b")], (part for part in ("con", "tent"))
        if how == b"write_content":
            response.writer.write_status(status)
            response.writer.write_header("X-A", "b")
            response.writer.end_headers()
            response.writer.write_content("content")
        if how == b"write":
            response.status = status
            response.headers.set("X-A", "b")
            response.write_status_headers()
            response.writer.write("content")
        if how == b"write_data":
            response.writer.write_headers([("x-a", "b")], status)
            response.writer.write_data("content", last=True)
        if how == b"raw":
            response.writer.write_headers([("x-a", "b")], status)
            response.writer.write_raw_data_frame(b"content", end_stream=True)
"""
WAYS = ["return", "list", "yield", "write_content", "write", "write_data"]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(("method", "status"), [("GET", 204), ("GET", 304), ("HEAD", 200)])
def test_a_response_that_has_no_content_is_its_head(start, write, how, method, status):
    """No DATA frame, whatever the handler gave; the head ends the stream."""
    write("without.py", WITHOUT)
    with Raw(start().address) as client:
        client.head(1, method=method, path=f"/without.py?how={how}&status={status}")
        kind, flags, *_ = client.until(1, HEADERS)
        assert flags & END_STREAM
        # What follows on the connection is another stream's alone.
        client.head(3, path="/file.txt")
        while (found := client.frame())[2] != 3 or not found[1] & END_STREAM:
            assert found[2] != 1


@pytest.mark.parametrize("how", WAYS)
def test_an_informational_response_as_the_last_has_no_content(start, write, how):
    write("without.py", WITHOUT)
    with Raw(start().address) as client:
        client.head(1, path=f"/without.py?how={how}&status=103")
        assert DATA not in {kind for kind, *_ in client.stream(1)}


def test_raw_frames_are_sent_where_there_is_no_content(start, write):
    write("without.py", WITHOUT)
    with Raw(start().address) as client:
        client.head(1, path="/without.py?how=raw&status=204")
        client.until(1, HEADERS)
        assert client.until(1, DATA)[3] == b"content"
