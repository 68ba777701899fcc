"""A WebSocket client over raw sockets: what is sent is bytes, and what comes back is told as text.

A conversation is a handshake and steps; all of it is compared: the head that came back, every
frame after it, and whether the server closed the connection.
"""

import dataclasses
import os
import re
import socket
import zlib

from wire import Connection, Outcome, Response

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
DEADLINE = 8.0
# How long a server may be silent before the connection counts as open.
QUIET = 0.7

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NAMES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}


@dataclasses.dataclass(frozen=True)
class Frame:
    """A frame as it came."""

    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0

    def __str__(self) -> str:
        name = NAMES.get(self.opcode, str(self.opcode)) + ("" if self.fin else "...")
        bits = f" rsv{self.rsv:03b}" if self.rsv else ""
        payload = self.payload
        if self.opcode == CLOSE and len(payload) >= 2:
            return f"{name} {int.from_bytes(payload[:2], 'big')} {payload[2:]!r}{bits}"
        if len(payload) > 10_000:
            return f"{name} {len(payload)} bytes, crc {zlib.crc32(payload):08x}{bits}"
        return f"{name} {payload!r}{bits}"


def frame(
    opcode: int, payload: bytes = b"", fin: bool = True, rsv: int = 0, key: bytes | None = b"mask"
) -> bytes:
    """A frame's bytes, masked unless `key` is `None`."""
    first = bytes([fin << 7 | rsv << 4 | opcode])
    bit = 0x80 if key else 0
    length = len(payload)
    if length < 126:
        head = first + bytes([bit | length])
    elif length < 1 << 16:
        head = first + bytes([bit | 126]) + length.to_bytes(2, "big")
    else:
        head = first + bytes([bit | 127]) + length.to_bytes(8, "big")
    return head + key + mask(payload, key) if key else head + payload


def mask(payload: bytes, key: bytes) -> bytes:
    """The payload, masked or unmasked."""
    length = len(payload)
    keys = (key * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(keys, "big")).to_bytes(length, "big")


def text(payload: str, **options) -> bytes:
    """A message of text."""
    return frame(TEXT, payload.encode(), **options)


def binary(payload: bytes, **options) -> bytes:
    """A message of bytes."""
    return frame(BINARY, payload, **options)


def close(code: int | None = None, reason: str | bytes = b"") -> bytes:
    """A close frame."""
    reason = reason.encode() if isinstance(reason, str) else reason
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


def handshake(
    resource: str,
    *fields: str,
    method: str = "GET",
    version: str = "HTTP/1.1",
    without: tuple[str, ...] = (),
) -> bytes:
    """A handshake; `fields` replace those of the same names, `without` leaves some out."""
    usual = {
        "Host": "localhost:80",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    }
    given = {field.partition(":")[0].lower() for field in fields}
    gone = given | {name.lower() for name in without}
    lines = [f"{name}: {value}" for name, value in usual.items() if name.lower() not in gone]
    head = [f"{method} {resource} {version}", *lines, *fields, "", ""]
    return "\r\n".join(head).encode("latin-1")


class Parser:
    """Takes frames off what was received."""

    def __init__(self) -> None:
        self.buffer = b""

    def next(self) -> Frame | None:
        """The next whole frame."""
        data = self.buffer
        if len(data) < 2:
            return None
        length, at = data[1] & 0x7F, 2
        if length >= 126:
            size = 2 if length == 126 else 8
            length, at = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
        if len(data) < at + length:
            return None
        self.buffer = data[at + length :]
        return Frame(data[0] & 15, data[at : at + length], bool(data[0] & 0x80), data[0] >> 4 & 7)


class Client(Connection):
    """A connection that speaks WebSocket once the handshake is done."""

    def __init__(self, address: tuple[str, int], deadline: float = DEADLINE):
        super().__init__(address, deadline)
        self.head: bytes | None = None
        self.parser = Parser()

    def open(self, resource: str, *fields: str, **options) -> bytes:
        """Send a handshake and read the head of the answer."""
        self.send(handshake(resource, *fields, **options))
        return self.read_head()

    def read_head(self, wait: float = DEADLINE) -> bytes:
        """The head of the answer; all there is when there is none."""
        while b"\r\n\r\n" not in self.received and not self.ended:
            if not self.read(wait):
                break
        head, separator, rest = self.received.partition(b"\r\n\r\n")
        self.head, self.received = head + separator, b""
        self.parser.buffer = rest
        return self.head

    def frame(self, wait: float = DEADLINE) -> Frame | None:
        """The next frame; `None` when the connection ends before, or nothing comes."""
        while True:
            # Something may have come while something was sent.
            self.parser.buffer += self.received
            self.received = b""
            if (found := self.parser.next()) is not None:
                return found
            if self.ended or not self.read(wait):
                return None

    def frames(self, wait: float = QUIET) -> list[Frame]:
        """All frames until the server closes, or is silent."""
        return list(iter(lambda: self.frame(wait), None))


def converse(
    address: tuple[str, int],
    opening: bytes,
    steps: tuple[bytes | int | None, ...] = (),
    quiet: float = QUIET,
    raw: bool = False,
    deadline: float = DEADLINE,
) -> Outcome:
    """Send a handshake, then the steps in turn: bytes are sent, a number is that many frames to
    wait for, `None` ends this side of the connection. The outcome has the answer's head, then what came as text, a line a frame."""
    with Client(address, deadline) as client:
        client.send(opening)
        head = client.read_head(max(DEADLINE, quiet))
        got = []
        if not raw:
            for step in steps:
                if isinstance(step, bytes):
                    client.send(step)
                elif step is None:
                    client.socket.shutdown(socket.SHUT_WR)
                else:
                    got += [f for f in (client.frame() for _ in range(step)) if f]
            got += client.frames(quiet)
        else:
            for step in steps:
                client.send(step)
            while client.read(quiet):
                pass
        status, *headers = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        responses = [Response(status, headers, b"", True)]
        lines = inflated(got, head) if not raw else []
        rest = client.parser.buffer + client.received
        body = "".join(f"{line}\n" for line in lines).encode() + rest
        if body:
            responses.append(Response(None, [], body, True))
        return Outcome(responses, "closed" if client.ended else "open", head)


def inflated(frames: list[Frame], head: bytes) -> list[str]:
    """The frames as text; of compressed messages what they hold."""
    if b"permessage-deflate" not in head:
        return [str(f) for f in frames]
    inflate = zlib.decompressobj(-15)
    lines, compressed = [], False
    for f in frames:
        if f.opcode in (TEXT, BINARY):
            compressed = bool(f.rsv & 4)
        if f.opcode < CLOSE and compressed:
            tail = b"\x00\x00\xff\xff" if f.fin else b""
            data = f.payload + tail
            payload = inflate.decompress(data)
            if inflate.eof:
                # A message that ended its stream: the next has its own.
                inflate = zlib.decompressobj(-15)
            f = dataclasses.replace(f, payload=payload)
        lines.append(str(f))
    return lines


class Deflater:
    """Compresses messages as a client does."""

    def __init__(self, window_bits: int = 15, no_context_takeover: bool = False):
        self.window_bits, self.forgets = window_bits, no_context_takeover
        self.stream = None

    def compress(self, data: bytes) -> bytes:
        """The payload of a message."""
        if self.stream is None or self.forgets:
            self.stream = zlib.compressobj(wbits=-self.window_bits)
        return (self.stream.compress(data) + self.stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


class Inflater:
    """Decompresses messages as a client with a window of that size does."""

    def __init__(self, window_bits: int = 15):
        self.stream = zlib.decompressobj(-max(window_bits, 9))

    def decompress(self, data: bytes) -> bytes:
        """A message out of its payload."""
        return self.stream.decompress(data + b"\x00\x00\xff\xff")


def random_key() -> bytes:
    """A masking key."""
    return os.urandom(4)


def masked_values(head: bytes) -> bytes:
    """A head without the values of Date and Server."""
    return re.sub(rb"(?im)^(date|server): [^\r]*", rb"\1: ...", head)
