"""The cases of h2spec (generic, http2, hpack), re-made over raw frames and numbered as there.

A case is what is sent behind a finished handshake and what must come, in turn: an answer, an error
of the stream or an error of the connection. As in h2spec an error of the connection may also be
its end, and satisfies a case that asks for an error of the stream.
"""

import socket
import struct

import pytest
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

import running
from http2 import (
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PREFACE,
    PRIORITIZED, PRIORITY, PUSH, RST, SETTINGS, WINDOW, block, frame, literal, settings,
)

NO, PROTOCOL, INTERNAL, FLOW, _, CLOSED, SIZE, REFUSED, _, COMPRESSION = range(10)
PATIENCE = 3.0


def headers(stream: int = 1, flags: int = END_STREAM | END_HEADERS, payload: bytes | None = None):
    """A request's HEADERS frame."""
    return frame(HEADERS, flags, stream, block() if payload is None else payload)


GET = headers()
POST = headers(flags=END_HEADERS, payload=block(method="POST"))
OPEN = END_HEADERS
number = struct.Struct(">I").pack


def fields(*pairs: tuple[str, str]) -> bytes:
    """A request with these fields too."""
    return headers(payload=block(*pairs))


def pseudo(*pairs: tuple[str, str]) -> bytes:
    """A request with these fields alone."""
    return headers(payload=b"".join(literal(*pair) for pair in pairs))


def post(*pairs: tuple[str, str]) -> bytes:
    """The head of a request with a body, with these fields."""
    return headers(flags=END_HEADERS, payload=block(*pairs, method="POST"))


def representations() -> list[bytes]:
    """A field in each representation of HPACK, in h2spec's order: indexed, then literals that are
    indexed, not indexed and never indexed, each with an indexed name and a new one, plain and in
    Huffman code."""
    def text(value: bytes, coded: bool) -> bytes:
        data = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH).encode(value) if coded else value
        return bytes([len(data) | (0x80 if coded else 0)]) + data

    found = [b"\x90"]
    # Index 58 is user-agent.
    for first, indexed in [(0x40, b"\x7a"), (0, b"\x0f\x2b"), (0x10, b"\x1f\x2b")]:
        for coded in (False, True):
            found.append(indexed + text(b"h2spec", coded))
        for coded in (False, True):
            found.append(bytes([first]) + text(b"x-test", coded) + text(b"h2spec", coded))
    return found


REPRESENTATIONS = representations()
M, S, P = (":method", "GET"), (":scheme", "http"), (":path", "/")
ANSWER, PONG = ("answer",), ("pong",)


def connection(*codes: int) -> tuple:
    """An error of the connection with one of these codes."""
    return "connection", set(codes)


def stream(*codes: int) -> tuple:
    """An error of the stream with one of these codes."""
    return "stream", set(codes)


CASES = {
    "generic/1/1": (b"", None),
    "generic/2/1": (frame(PRIORITY, 0, 1, number(0) + b"\x10") + GET, ANSWER),
    "generic/2/2": (frame(PRIORITY, 0, 3, number(0) + b"\x10") + GET, ANSWER),
    "generic/3.1/1": (POST + frame(DATA, END_STREAM, 1, b"test"), ANSWER),
    "generic/3.1/2": (POST + frame(DATA, 0, 1, b"a") + frame(DATA, END_STREAM, 1, b"b"), ANSWER),
    "generic/3.1/3": (
        post() + frame(DATA, END_STREAM | PADDED, 1, b"\x06test" + b"\0" * 6), ANSWER),
    "generic/3.2/1": (GET, ANSWER),
    "generic/3.2/2": (headers(flags=END_STREAM | END_HEADERS | PADDED,
                              payload=b"\x06" + block() + b"\0" * 6), ANSWER),
    "generic/3.2/3": (headers(flags=END_STREAM | END_HEADERS | PRIORITIZED,
                              payload=number(0) + b"\x0f" + block()), ANSWER),
    "generic/3.3/1": (frame(PRIORITY, 0, 1, number(0) + b"\x20") + GET, ANSWER),
    "generic/3.3/2": (frame(PRIORITY, 0, 1, number(0) + b"\xff") + GET, ANSWER),
    "generic/3.3/3": (frame(PRIORITY, 0, 1, number(3) + b"\xff") + GET, ANSWER),
    "generic/3.3/4": (frame(PRIORITY, 0, 1, number(0x80000000 | 3) + b"\x20") + GET, ANSWER),
    "generic/3.3/5": (frame(PRIORITY, 0, 3, number(0) + b"\xff") + GET, ANSWER),
    "generic/3.4/1": (POST + frame(RST, 0, 1, number(8)) + frame(PING, 0, 0, b"h2spec\0\0"), PONG),
    "generic/3.5/1": (settings((1, 4096), (3, 100)) + GET, ANSWER),
    "generic/3.7/1": (frame(PING, 0, 0, b"h2spec\0\0"), PONG),
    "generic/3.8/1": (frame(GOAWAY, 0, 0, number(0) + number(0)), connection(NO)),
    "generic/3.9/1": (frame(WINDOW, 0, 0, number(1)) + GET, ANSWER),
    "generic/3.9/2": (POST + frame(WINDOW, 0, 1, number(1)) + frame(DATA, END_STREAM, 1), ANSWER),
    "generic/3.10/1": (headers(flags=END_STREAM, payload=block()[:20])
                       + frame(CONTINUATION, END_HEADERS, 1, block()[20:]), ANSWER),
    "generic/4/1": (GET, ANSWER),
    "generic/4/2": (headers(payload=block(method="HEAD")), ANSWER),
    "generic/4/3": (POST + frame(DATA, END_STREAM, 1, b"test"), ANSWER),
    "generic/4/4": (headers(flags=END_HEADERS, payload=block(method="POST"))
                    + headers(payload=literal("x-test", "ok")), ANSWER),
    **{f"generic/5/{number}": (headers(payload=block() + field), ANSWER)
       for number, field in enumerate(REPRESENTATIONS, 1)},
    "generic/5/14": (headers(payload=b"\x20" + block()), ANSWER),
    "generic/5/15": (headers(payload=b"\x20\x3f\xe1\x1f" + block()), ANSWER),
    "http2/3.5/1": (settings(), ("settings-ack",)),
    "http2/4.1/1": (frame(22, 0, 0, b"\0" * 8) + frame(PING, 0, 0, b"h2spec\0\0"), PONG),
    "http2/4.1/2": (frame(PING, 0x16, 0, b"h2spec\0\0"), PONG),
    "http2/4.1/3": (frame(PING, 0, 0x80000000, b"h2spec\0\0"), PONG),
    "http2/4.2/1": (POST + frame(DATA, END_STREAM, 1, b"x" * 16384), ANSWER),
    "http2/4.2/2": (POST + frame(DATA, END_STREAM, 1, b"x" * 16385), stream(SIZE)),
    "http2/4.2/3": (headers(payload=block() + b"x" * 16385), connection(SIZE)),
    "http2/4.3/1": (headers(payload=b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"), connection(COMPRESSION)),
    "http2/4.3/2": (headers(flags=END_STREAM, payload=block()[:9])
                    + frame(PRIORITY, 0, 1, number(0) + b"\x10"), connection(PROTOCOL)),
    "http2/4.3/3": (headers(flags=END_STREAM, payload=block()[:9])
                    + headers(3, END_STREAM | END_HEADERS), connection(PROTOCOL)),
    "http2/5.1/1": (frame(DATA, END_STREAM, 1, b"test"), connection(PROTOCOL)),
    "http2/5.1/2": (frame(RST, 0, 1, number(8)), connection(PROTOCOL)),
    "http2/5.1/3": (frame(WINDOW, 0, 1, number(100)), connection(PROTOCOL)),
    "http2/5.1/4": (frame(CONTINUATION, END_HEADERS, 1, block()), connection(PROTOCOL)),
    "http2/5.1/5": (GET + frame(DATA, END_STREAM, 1, b"test"), stream(CLOSED)),
    "http2/5.1/6": (GET + headers(), stream(CLOSED)),
    "http2/5.1/7": (GET + frame(CONTINUATION, END_HEADERS, 1, block()), connection(CLOSED, PROTOCOL)),
    "http2/5.1/8": (POST + frame(RST, 0, 1, number(8)) + frame(DATA, END_STREAM, 1, b"x"), stream(CLOSED)),
    "http2/5.1/9": (POST + frame(RST, 0, 1, number(8)) + headers(), stream(CLOSED)),
    "http2/5.1/10": (POST + frame(RST, 0, 1, number(8))
                     + frame(CONTINUATION, END_HEADERS, 1, b""), connection(CLOSED, PROTOCOL)),
    "http2/5.1/11": (GET, ANSWER, frame(DATA, END_STREAM, 1, b"test"), stream(CLOSED)),
    "http2/5.1/12": (GET, ANSWER, headers(), connection(CLOSED, PROTOCOL)),
    "http2/5.1/13": (GET, ANSWER, frame(CONTINUATION, END_HEADERS, 1, block()), connection(CLOSED, PROTOCOL)),
    "http2/5.1.1/1": (headers(2), connection(PROTOCOL)),
    "http2/5.1.1/2": (headers(5) + headers(3), connection(PROTOCOL)),
    "http2/5.1.2/1": (b"".join(headers(number, OPEN, block(method="POST"))
                               for number in range(1, 2 * 258, 2)), stream(PROTOCOL, REFUSED)),
    "http2/5.3.1/1": (headers(flags=END_STREAM | END_HEADERS | PRIORITIZED,
                              payload=number(1) + b"\xff" + block()), stream(PROTOCOL)),
    "http2/5.3.1/2": (frame(PRIORITY, 0, 1, number(1) + b"\xff"), stream(PROTOCOL)),
    "http2/5.4.1/1": (frame(PING, 0, 3, b"x"), connection(PROTOCOL, SIZE)),
    "http2/5.5/1": (frame(0xff, 0, 0, b"x") + frame(PING, 0, 0, b"h2spec\0\0"), PONG),
    "http2/5.5/2": (headers(flags=END_STREAM, payload=block()[:9]) + frame(0xff, 0, 0, b"x")
                    + frame(CONTINUATION, END_HEADERS, 1, block()[9:]), connection(PROTOCOL)),
    "http2/6.1/1": (frame(DATA, END_STREAM, 0, b"test"), connection(PROTOCOL)),
    "http2/6.1/2": (GET + frame(DATA, END_STREAM, 1, b"test"), stream(CLOSED)),
    "http2/6.1/3": (POST + frame(DATA, END_STREAM | PADDED, 1, b"\x06test"), connection(PROTOCOL)),
    "http2/6.2/1": (headers(flags=END_STREAM, payload=block()[:9])
                    + frame(DATA, END_STREAM, 1), connection(PROTOCOL)),
    "http2/6.2/2": (headers(flags=END_STREAM, payload=block()[:9]) + headers(3),
                    connection(PROTOCOL)),
    "http2/6.2/3": (headers(0), connection(PROTOCOL)),
    "http2/6.2/4": (headers(flags=END_STREAM | END_HEADERS | PADDED,
                            payload=b"\xff" + block()), connection(PROTOCOL)),
    "http2/6.3/1": (frame(PRIORITY, 0, 0, number(1) + b"\x10"), connection(PROTOCOL)),
    "http2/6.3/2": (frame(PRIORITY, 0, 1, b"\0\0\0\0"), stream(SIZE)),
    "http2/6.4/1": (frame(RST, 0, 0, number(8)), connection(PROTOCOL)),
    "http2/6.4/2": (frame(RST, 0, 1, number(8)), connection(PROTOCOL)),
    "http2/6.4/3": (POST + frame(RST, 0, 1, b"\0\0\0"), connection(SIZE)),
    "http2/6.5/1": (frame(SETTINGS, ACK, 0, b"\0" * 6), connection(SIZE)),
    "http2/6.5/2": (frame(SETTINGS, 0, 1), connection(PROTOCOL)),
    "http2/6.5/3": (frame(SETTINGS, 0, 0, b"\0\0\0"), connection(SIZE)),
    "http2/6.5.2/1": (settings((2, 2)), connection(PROTOCOL)),
    "http2/6.5.2/2": (settings((4, 0x80000000)), connection(FLOW)),
    "http2/6.5.2/3": (settings((5, 16383)), connection(PROTOCOL)),
    "http2/6.5.2/4": (settings((5, 16777216)), connection(PROTOCOL)),
    "http2/6.5.2/5": (settings((0xff, 0)) + frame(PING, 0, 0, b"h2spec\0\0"), PONG),
    "http2/6.5.3/1": (settings((4, 100), (4, 1)) + GET, ("data", 1)),
    "http2/6.5.3/2": (settings((3, 100)), ("settings-ack",)),
    "http2/6.7/1": (frame(PING, 0, 0, b"h2spec\0\0"), PONG),
    "http2/6.7/2": (frame(PING, ACK, 0, b"invalid\0") + frame(PING, 0, 0, b"h2spec\0\0"), PONG),
    "http2/6.7/3": (frame(PING, 0, 1, b"h2spec\0\0"), connection(PROTOCOL)),
    "http2/6.7/4": (frame(PING, 0, 0, b"h2spec"), connection(SIZE)),
    "http2/6.8/1": (frame(GOAWAY, 0, 1, number(0) + number(0)), connection(PROTOCOL)),
    "http2/6.9/1": (frame(WINDOW, 0, 0, number(0)), connection(PROTOCOL)),
    "http2/6.9/2": (POST + frame(WINDOW, 0, 1, number(0)), stream(PROTOCOL)),
    "http2/6.9/3": (frame(WINDOW, 0, 0, b"\0\0\1"), connection(SIZE)),
    "http2/6.9.1/1": (settings((4, 1)) + GET, ("data", 1)),
    "http2/6.9.1/2": (frame(WINDOW, 0, 0, number(0x7fffffff)) * 2, connection(FLOW)),
    "http2/6.9.1/3": (POST + frame(WINDOW, 0, 1, number(0x7fffffff)) * 2, stream(FLOW)),
    "http2/6.9.2/1": (settings((4, 0)) + GET, ("head",), settings((4, 1)), ("data", 1)),
    "http2/6.9.2/2": (settings((4, 3)) + GET, ("data", 3),
                      settings((4, 2)) + frame(WINDOW, 0, 1, number(2)), ("data", 1)),
    "http2/6.9.2/3": (settings((4, 0x80000000)), connection(FLOW)),
    "http2/6.10/1": (headers(flags=END_STREAM, payload=block()[:9])
                     + frame(CONTINUATION, 0, 1, block()[9:12])
                     + frame(CONTINUATION, END_HEADERS, 1, block()[12:]), ANSWER),
    "http2/6.10/2": (headers(flags=END_STREAM, payload=block()[:9])
                     + frame(CONTINUATION, END_HEADERS, 0, block()[9:]), connection(PROTOCOL)),
    "http2/6.10/3": (headers(flags=0, payload=block()[:9]) + frame(DATA, END_STREAM, 1, b"x"),
                     connection(PROTOCOL)),
    "http2/6.10/4": (GET + frame(CONTINUATION, END_HEADERS, 1, block()), connection(PROTOCOL)),
    "http2/6.10/5": (headers(flags=0, payload=block()[:9])
                     + frame(CONTINUATION, END_HEADERS, 1, block()[9:])
                     + frame(CONTINUATION, END_HEADERS, 1, block()), connection(PROTOCOL)),
    "http2/6.10/6": (POST + frame(DATA, 0, 1, b"x") + frame(CONTINUATION, END_HEADERS, 1, block()),
                     connection(PROTOCOL)),
    "http2/7/1": (POST + frame(RST, 0, 1, number(0xff)) + frame(PING, 0, 0, b"h2spec\0\0"), PONG),
    "http2/8.1/1": (POST + headers(flags=END_HEADERS, payload=literal("x-test", "ok")), stream(PROTOCOL)),
    "http2/8.1.2/1": (fields(("X-TEST", "ok")), stream(PROTOCOL)),
    "http2/8.1.2.1/1": (pseudo(M, S, P, (":test", "ok")), stream(PROTOCOL)),
    "http2/8.1.2.1/2": (pseudo(M, S, P, (":status", "200")), stream(PROTOCOL)),
    "http2/8.1.2.1/3": (POST + headers(payload=literal(":method", "200")), stream(PROTOCOL)),
    "http2/8.1.2.1/4": (pseudo(M, S, ("x-test", "ok"), P), stream(PROTOCOL)),
    "http2/8.1.2.2/1": (fields(("connection", "keep-alive")), stream(PROTOCOL)),
    "http2/8.1.2.2/2": (fields(("te", "trailers, deflate")), stream(PROTOCOL)),
    "http2/8.1.2.3/1": (pseudo(M, S, (":path", "")), stream(PROTOCOL)),
    "http2/8.1.2.3/2": (pseudo(S, P), stream(PROTOCOL)),
    "http2/8.1.2.3/3": (pseudo(M, P), stream(PROTOCOL)),
    "http2/8.1.2.3/4": (pseudo(M, S), stream(PROTOCOL)),
    "http2/8.1.2.3/5": (pseudo(M, M, S, P), stream(PROTOCOL)),
    "http2/8.1.2.3/6": (pseudo(M, S, S, P), stream(PROTOCOL)),
    "http2/8.1.2.3/7": (pseudo(M, S, P, P), stream(PROTOCOL)),
    "http2/8.1.2.6/1": (post(("content-length", "1")) + frame(DATA, END_STREAM, 1, b"test"), stream(PROTOCOL)),
    "http2/8.1.2.6/2": (post(("content-length", "1")) + frame(DATA, 0, 1, b"te")
                        + frame(DATA, END_STREAM, 1, b"st"), stream(PROTOCOL)),
    "http2/8.2/1": (frame(PUSH, END_HEADERS, 1, number(2) + block()), connection(PROTOCOL)),
    "hpack/2.3.3/1": (headers(payload=b"\x82\x86\x84\xc6"), connection(COMPRESSION)),
    "hpack/4.2/1": (headers(payload=block() + b"\x20"), connection(COMPRESSION)),
    "hpack/5.2/1": (headers(payload=b"\x82\x86\x84\x00\x04test\x81\xff\xff"), connection(COMPRESSION)),
    "hpack/6.1/1": (headers(payload=b"\x82\x86\x84\x80"), connection(COMPRESSION)),
    "hpack/6.3/1": (headers(payload=b"\x3f\xe1\xff\x03\x82\x86\x84"), connection(COMPRESSION)),
}

# Cases that must fail here, or where the answer is another one, and why.
DIFFERENT = {
    "http2/8.1.2.1/3": "Trailers are dropped unread, so a pseudo-header field in them is ignored.",
    "http2/8.1.2.3/4": "Without `:authority` too, the h2 library takes a missing path for `/`.",
}


@pytest.fixture(scope="module")
def http2_port(tmp_path_factory: pytest.TempPathFactory):
    """A server that speaks HTTP/2 without TLS."""
    work = tmp_path_factory.mktemp("h2spec")
    root = work / "root"
    root.mkdir()
    (root / "file.txt").write_text("content")
    server = running.start(root, work, "--h2c")
    yield server.port
    server.end()


def frames_of(connection: socket.socket, until) -> list[tuple[int, int, int, bytes]]:
    """What comes until a frame satisfies `until` or the connection ends."""
    buffer, found = b"", []
    connection.settimeout(PATIENCE)
    while True:
        try:
            data = connection.recv(65536)
        except TimeoutError:
            return found
        except ConnectionError:
            data = b""
        if not data:
            return [*found, (-1, 0, 0, b"")]
        buffer += data
        while len(buffer) >= 9 and len(buffer) >= 9 + int.from_bytes(buffer[:3], "big"):
            length = int.from_bytes(buffer[:3], "big")
            kind, flags, number = struct.unpack(">BBI", buffer[3:9])
            found.append((kind, flags, number, buffer[9 : 9 + length]))
            buffer = buffer[9 + length :]
            if until(found[-1]):
                return found


def satisfies(expected: tuple, got: tuple[int, int, int, bytes]) -> bool:
    """Whether a frame, or the connection's end, is what a case asks for."""
    kind, flags, _number, payload = got
    what, codes = expected[0], expected[1] if len(expected) > 1 else set()
    if what == "answer":
        return kind in (HEADERS, DATA) and bool(flags & END_STREAM)
    if what == "pong":
        return kind == PING and bool(flags & ACK) and payload == b"h2spec\0\0"
    if what == "head":
        return kind == HEADERS and bool(flags & END_HEADERS)
    if what == "data":
        return kind == DATA and len(payload) == expected[1]
    if what == "settings-ack":
        return kind == SETTINGS and bool(flags & ACK)
    if what == "stream" and kind == RST:
        return int.from_bytes(payload, "big") in codes
    return kind == -1 or (kind == GOAWAY and int.from_bytes(payload[4:8], "big") in codes)


@pytest.mark.parametrize("name", [name for name in CASES if name not in DIFFERENT])
def test_h2spec(http2_port: int, name: str) -> None:
    """One case."""
    with socket.create_connection(("127.0.0.1", http2_port), PATIENCE) as connection:
        connection.sendall(PREFACE + settings())
        frames_of(connection, lambda got: got[0] == SETTINGS and got[1] & ACK)
        connection.sendall(frame(SETTINGS, ACK))
        for step in CASES[name]:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif step is not None:
                found = frames_of(connection, lambda got, step=step: satisfies(step, got))
                assert found and satisfies(step, found[-1]), (step, found)


@pytest.mark.parametrize("preface", [b"INVALID CONNECTION PREFACE\r\n\r\n", PREFACE[:20] + b"XXXX"])
def test_h2spec_http2_3_5_2(http2_port: int, preface: bytes) -> None:
    """http2/3.5/2: what is no preface ends the connection."""
    with socket.create_connection(("127.0.0.1", http2_port), PATIENCE) as connection:
        connection.sendall(preface)
        assert frames_of(connection, lambda got: False)[-1][0] == -1
