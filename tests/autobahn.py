"""The cases of the Autobahn test suite (groups 1 to 7, 9, 10, 12 and 13), made again as a client
over raw sockets and numbered as there.

A case is what the client sends and what an echoing server may answer. `OK` is what RFC 6455 and
RFC 7692 ask for; `NON-STRICT` is what Autobahn also lets pass, such as a failure that comes only at
the end of a message. Groups 12 and 13 send fewer messages of the larger sizes than Autobahn's 1000.
"""

import dataclasses
import itertools
import random
from collections.abc import Callable, Iterable, Iterator

from websocket import (
    BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Client, Deflater, Inflater, close, frame,
)

HELLO = b"Hello, world!"
WAIT = 10.0


@dataclasses.dataclass
class Case:
    """What is sent, in pieces, and what may come back: sequences of (opcode, payload).

    With `fails` the server fails the connection: by one of these codes or by a bare close. Else the
    client closes with `closing` and the server answers with `answer`.
    """

    id: str
    send: Iterable[bytes]
    ok: list[list[tuple[int, bytes]]]
    fails: set[int] = dataclasses.field(default_factory=set)
    non_strict: list[list[tuple[int, bytes]]] = dataclasses.field(default_factory=list)
    closing: bytes = close(1000)
    answer: bytes | None = (1000).to_bytes(2, "big")
    # The last piece is sent only if the server has not failed before; then that is not strict.
    late: bytes = b""

    def run(self, address: tuple[str, int]) -> str:
        """The verdict on a server that echoes at /echo."""
        with Client(address, 60) as client:
            client.open("/echo")
            for piece in self.send:
                client.send(piece)
            if self.fails:
                return self._failed(client)
            got = self._receive(client, max(map(len, self.ok)))
            client.send(self.closing)
            while (last := client.frame(WAIT)) is not None and last.opcode != CLOSE:
                got.append((last.opcode, last.payload))
            if last is None or (self.answer is not None and last.payload != self.answer):
                return f"FAILED: closed by {last}"
            while not client.ended and client.read(WAIT):
                pass
            return self._judge(got) if client.ended else "FAILED: the connection stays open"

    def _receive(self, client: Client, count: int) -> list[tuple[int, bytes]]:
        frames = itertools.islice(iter(lambda: client.frame(WAIT), None), count)
        return [(f.opcode, f.payload) for f in frames]

    def _failed(self, client: Client) -> str:
        strict = True
        if self.late:
            first = client.frame(0.3)
            strict = first is not None
            if first is None:
                client.send(self.late)
                first = client.frame(WAIT)
            frames = [first] if first else []
        else:
            frames = []
        while not frames or frames[-1].opcode != CLOSE:
            found = client.frame(WAIT)
            if found is None:
                break
            frames.append(found)
        got = [(f.opcode, f.payload) for f in frames]
        codes = [int.from_bytes(payload[:2], "big") for opcode, payload in got if opcode == CLOSE]
        got = [found for found in got if found[0] != CLOSE]
        if any(code not in self.fails for code in codes) or len(codes) > 1:
            return f"FAILED: closed with {codes}"
        # After a code other than 1002 the server waits for an answer.
        client.send(close(1000))
        while not client.ended and client.read(WAIT):
            pass
        if not client.ended:
            return "FAILED: the connection stays open"
        verdict = self._judge(got)
        return verdict if strict or verdict != "OK" else "NON-STRICT"

    def _judge(self, got: list[tuple[int, bytes]]) -> str:
        if got in self.ok:
            return "OK"
        if got in self.non_strict:
            return "NON-STRICT"
        shown = [(opcode, payload[:30]) for opcode, payload in got]
        return f"FAILED: got {shown}"


def chopped(data: bytes, size: int) -> Iterator[bytes]:
    """The bytes in pieces."""
    return (data[at : at + size] for at in range(0, len(data), size))


def fragments(opcode: int, *payloads: bytes) -> bytes:
    """A message in fragments."""
    last = len(payloads) - 1
    return b"".join(
        frame(CONTINUATION if n else opcode, payload, fin=n == last)
        for n, payload in enumerate(payloads)
    )


def fragmented(opcode: int, data: bytes, size: int, rsv: int = 0) -> Iterator[bytes]:
    """A message in fragments of a size."""
    pieces = list(chopped(data, size)) or [b""]
    for n, piece in enumerate(pieces):
        last = n == len(pieces) - 1
        yield frame(CONTINUATION if n else opcode, piece, last, 0 if n else rsv)


def echo(id: str, opcode: int, payload: bytes, send: Iterable[bytes] | None = None) -> Case:
    """A message that comes back."""
    return Case(id, send or [frame(opcode, payload)], [[(opcode, payload)]])


def framing() -> Iterator[Case]:
    """1: messages of all lengths."""
    sizes = [0, 125, 126, 127, 128, 65535, 65536, 65536]
    for kind, (opcode, byte) in enumerate([(TEXT, b"*"), (BINARY, b"\xfe")], 1):
        for number, size in enumerate(sizes, 1):
            data = byte * size
            send = chopped(frame(opcode, data), 997) if number == 8 else None
            yield echo(f"1.{kind}.{number}", opcode, data, send)


def pings() -> Iterator[Case]:
    """2: pings and pongs."""
    odd = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
    full = b"\xfe" * 125
    for number, payload in enumerate([b"", HELLO, odd, full], 1):
        yield Case(f"2.{number}", [frame(PING, payload)], [[(PONG, payload)]])
    yield Case("2.5", [frame(PING, b"\xfe" * 126)], [[]], {1002})
    yield Case("2.6", chopped(frame(PING, full), 1), [[(PONG, full)]])
    yield Case("2.7", [frame(PONG)], [[]])
    yield Case("2.8", [frame(PONG, b"unsolicited")], [[]])
    yield Case("2.9", [frame(PONG, b"unsolicited"), frame(PING, b"ping")], [[(PONG, b"ping")]])
    ten = [b"payload-%d" % n for n in range(10)]
    pongs = [[(PONG, payload) for payload in ten]]
    yield Case("2.10", [frame(PING, payload) for payload in ten], pongs)
    yield Case("2.11", chopped(b"".join(frame(PING, payload) for payload in ten), 1), pongs)


def reserved() -> Iterator[Case]:
    """3 and 4: reserved bits and opcodes."""
    small, ping = frame(TEXT, HELLO), frame(PING)
    before = [[(TEXT, HELLO)]]
    non_strict = [[]]

    def second(id: str, bad: bytes, send: Callable[[bytes], Iterable[bytes]]) -> Case:
        return Case(id, send(small + bad + ping), before, {1002}, non_strict)

    whole = lambda data: [data]  # noqa: E731
    by_byte = lambda data: chopped(data, 1)  # noqa: E731
    bits = lambda rsv, opcode=TEXT, payload=HELLO: frame(opcode, payload, rsv=rsv)  # noqa: E731
    yield Case("3.1", [bits(1)], [[]], {1002})
    yield second("3.2", bits(2), whole)
    yield second("3.3", bits(3), lambda data: chopped(data, len(small)))
    yield second("3.4", bits(4), by_byte)
    yield Case("3.5", [bits(5, BINARY, b"\x00\xff")], [[]], {1002})
    yield Case("3.6", [bits(6, PING)], [[]], {1002})
    yield Case("3.7", [frame(CLOSE, b"", rsv=7)], [[]], {1002})
    for group, first in [(1, 3), (2, 11)]:
        yield Case(f"4.{group}.1", [frame(first)], [[]], {1002})
        yield Case(f"4.{group}.2", [frame(first + 1, b"payload")], [[]], {1002})
        yield second(f"4.{group}.3", frame(first + 2), whole)
        yield second(f"4.{group}.4", frame(first + 3, HELLO), whole)
        yield second(f"4.{group}.5", frame(first + 4, HELLO), by_byte)


def fragmentation() -> Iterator[Case]:
    """5: messages in fragments."""
    one, two = b"fragment1", b"fragment2"
    both = [[(TEXT, one + two)]]
    yield Case("5.1", [fragments(PING, one, two)], [[]], {1002})
    yield Case("5.2", [fragments(PONG, one, two)], [[]], {1002})
    message = fragments(TEXT, one, two)
    pinged = frame(TEXT, one, fin=False) + frame(PING, b"ping") + frame(CONTINUATION, two)
    ways = [lambda data: [data], lambda data: chopped(data, 13), lambda data: chopped(data, 1)]
    for number, way in enumerate(ways):
        yield Case(f"5.{3 + number}", way(message), both)
        yield Case(f"5.{6 + number}", way(pinged), [[(PONG, b"ping"), *both[0]]])
        stray = frame(CONTINUATION, b"non-continuation") + frame(TEXT, HELLO)
        yield Case(f"5.{9 + number}", way(stray), [[]], {1002})
        stray = frame(CONTINUATION, b"non-continuation", fin=False) + frame(TEXT, HELLO)
        yield Case(f"5.{12 + number}", way(stray), [[]], {1002})
    stray = frame(CONTINUATION, b"fragment3", fin=False) + frame(TEXT, b"fragment4")
    yield Case("5.15", [message + stray], both, {1002}, [[]])
    for number, fin in [(16, False), (17, True)]:
        stray = frame(CONTINUATION, one, fin=fin) + fragments(TEXT, two, b"fragment3")
        yield Case(f"5.{number}", [stray * 2], [[]], {1002})
    yield Case("5.18", [frame(TEXT, one, fin=False) + frame(TEXT, two)], [[]], {1002})
    parts = [b"fragment%d" % n for n in range(1, 6)]
    send = [
        frame(TEXT, parts[0], fin=False), frame(CONTINUATION, parts[1], fin=False),
        frame(PING, b"pongme 1!"), frame(CONTINUATION, parts[2], fin=False),
        frame(CONTINUATION, parts[3], fin=False), frame(PING, b"pongme 2!"),
        frame(CONTINUATION, parts[4]),
    ]
    came = [[(PONG, b"pongme 1!"), (PONG, b"pongme 2!"), (TEXT, b"".join(parts))]]
    yield Case("5.19", send, came)
    yield Case("5.20", [b"".join(send)], came)


def utf8() -> Iterator[Case]:
    """6: text that is UTF-8, and text that is not."""
    yield echo("6.1.1", TEXT, b"")
    yield echo("6.1.2", TEXT, b"", [fragments(TEXT, b"", b"", b"")])
    yield echo("6.1.3", TEXT, b"middle", [fragments(TEXT, b"", b"middle", b"")])
    hello, greek = "Hello-\xb5@\xdf\xf6\xe4\xfc\xe0\xe1-UTF-8!!".encode(), "\u03ba\u1f79\u03c3\u03bc\u03b5".encode()
    yield echo("6.2.1", TEXT, hello)
    yield echo("6.2.2", TEXT, hello, [fragments(TEXT, hello[:12], hello[12:])])
    yield echo("6.2.3", TEXT, hello, fragmented(TEXT, hello, 1))
    yield echo("6.2.4", TEXT, greek, fragmented(TEXT, greek, 1))
    bad = greek + b"\xed\xa0\x80" + b"edited"
    yield Case("6.3.1", [frame(TEXT, bad)], [[]], {1007})
    yield Case("6.3.2", fragmented(TEXT, bad, 1), [[]], {1007})
    for number, parts in enumerate([
        (greek, b"\xf4\x90\x80\x80", b"edited"), (greek, b"\xf4\x90", b"\x80\x80edited"),
    ], 1):
        first = frame(TEXT, parts[0], fin=False) + frame(CONTINUATION, parts[1], fin=False)
        late = frame(CONTINUATION, parts[2])
        yield Case(f"6.4.{number}", [first], [[]], {1007}, late=late)
        whole = frame(TEXT, b"".join(parts))
        at = len(whole) - len(parts[2])
        yield Case(f"6.4.{number + 2}", [whole[:at]], [[]], {1007}, late=whole[at:])
    for group, sequences in enumerate(SEQUENCES, 5):
        for number, data in enumerate(sequences, 1):
            try:
                data.decode()
                yield echo(f"6.{group}.{number}", TEXT, data)
            except UnicodeDecodeError:
                yield Case(f"6.{group}.{number}", [frame(TEXT, data)], [[]], {1007})


def _lonely(first: int, last: int) -> bytes:
    return b"".join(bytes([byte, 0x20]) for byte in range(first, last))


_GREEK = "\u03ba\u1f79\u03c3\u03bc\u03b5".encode()
_CUT = [bytes.fromhex(text) for text in (
    "c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf")]
_HIGH = [bytes.fromhex(text) for text in ("eda080", "edadbf", "edae80", "edafbf")]
_LOW = [bytes.fromhex(text) for text in ("edb080", "edbe80", "edbfbf")]
# Groups 6.5 to 6.23, after Markus Kuhn's stress test.
SEQUENCES = [
    [b"hello" + c.encode() + b"world" for c in ("$", "\xa2", "\u20ac", "\U00024b62")] + [_GREEK],
    [_GREEK[:length] for length in range(1, len(_GREEK) + 1)],
    [b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"],
    [b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"],
    [b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"],
    [b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"],
    [b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80"],
    [b"\x80", b"\xbf", *((b"\x80\xbf" * 3)[:n] for n in range(2, 7)), bytes(range(0x80, 0xC0))],
    [_lonely(0xC0, 0xE0), _lonely(0xE0, 0xF0), _lonely(0xF0, 0xF8), _lonely(0xF8, 0xFC), _lonely(0xFC, 0xFE)],
    _CUT,
    [b"".join(_CUT)],
    [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"],
    [b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf"],
    [b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf"],
    [b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80"],
    [*_HIGH, *_LOW],
    [high + low for high in _HIGH for low in (_LOW[0], _LOW[2])],
    [chr(plane << 16 | low).encode() for plane in range(17) for low in (0xFFFE, 0xFFFF)],
    [chr(code).encode() for code in range(0xFFF9, 0x10000)],
]


def closes() -> Iterator[Case]:
    """7: the closing handshake."""
    hello = [[(TEXT, HELLO)]]
    yield Case("7.1.1", [frame(TEXT, HELLO)], hello)
    yield Case("7.1.2", [close(1000)], [[]])
    yield Case("7.1.3", [close(1000) + frame(PING)], [[]], closing=b"")
    yield Case("7.1.4", [close(1000) + frame(TEXT, HELLO)], [[]], closing=b"")
    begun = frame(TEXT, b"fragment1", fin=False)
    yield Case("7.1.5", [begun + close(1000) + frame(CONTINUATION, b"fragment2")], [[]], closing=b"")
    long = b"BAsd7&jh23" * 26214
    yield Case("7.1.6", [frame(TEXT, long) + frame(TEXT, HELLO) + close(1000) + frame(PING)],
               [[(TEXT, long), *hello[0]]], closing=b"")
    yield Case("7.3.1", [], [[]], closing=close(), answer=b"")
    yield Case("7.3.2", [frame(CLOSE, b"a")], [[]], {1002})
    for number, reason in [(3, b""), (4, HELLO), (5, b"*" * 123)]:
        body = (1000).to_bytes(2, "big") + reason
        yield Case(f"7.3.{number}", [], [[]], closing=frame(CLOSE, body), answer=body)
    yield Case("7.3.6", [close(1000, b"*" * 124)], [[]], {1002})
    bad = _GREEK + b"\xed\xa0\x80" + b"edited"
    yield Case("7.5.1", [close(1000, bad)], [[]], {1007})
    for number, code in enumerate([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999], 1):
        yield Case(f"7.7.{number}", [], [[]], closing=close(code), answer=code.to_bytes(2, "big"))
    for number, code in enumerate([0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999], 1):
        yield Case(f"7.9.{number}", [close(code)], [[]], {1002})
    for number, code in enumerate([5000, 65535], 1):
        yield Case(f"7.13.{number}", [close(code)], [[]], {1002})


def limits() -> Iterator[Case]:
    """9 and 10: long messages, many fragments, many messages."""
    kib, mib = 1024, 1024 * 1024
    for offset, (opcode, byte) in enumerate([(TEXT, b"*"), (BINARY, b"\xfe")]):
        for number, size in enumerate([64 * kib, 256 * kib, mib, 4 * mib, 8 * mib, 16 * mib], 1):
            yield echo(f"9.{1 + offset}.{number}", opcode, byte * size)
        sizes = [64, 256, kib, 4 * kib, 16 * kib, 64 * kib, 256 * kib, mib, 4 * mib]
        for number, size in enumerate(sizes, 1):
            data = byte * (4 * mib)
            send = [b"".join(fragmented(opcode, data, size))]
            yield echo(f"9.{3 + offset}.{number}", opcode, data, send)
        for number, size in enumerate([64, 128, 256, 512, 1024, 2048], 1):
            data = byte * mib
            yield echo(f"9.{5 + offset}.{number}", opcode, data, chopped(frame(opcode, data), size))
        for number, size in enumerate([0, 16, 64, 256, 1024, 4096], 1):
            data = byte * size
            yield Case(f"9.{7 + offset}.{number}", [frame(opcode, data)] * 1000, [[(opcode, data)] * 1000])
    data = b"*" * 65536
    yield echo("10.1.1", TEXT, data, fragmented(TEXT, data, 1300))


@dataclasses.dataclass
class Compressed:
    """A case of permessage-deflate: messages of a size, each echoed."""

    id: str
    opcode: int
    source: bytes
    size: int
    fragment: int
    offer: str
    # What the server's answer must hold, and the windows of both sides.
    accepted: tuple[str, ...] = ()
    server_bits: int = 15
    server_forgets: bool = False

    def run(self, address: tuple[str, int]) -> str:
        """The verdict on a server that echoes at /echo."""
        count = max(4, min(1000, 256 * 1024 // self.size))
        deflater, inflater = Deflater(), Inflater(self.server_bits)
        with Client(address, 60) as client:
            head = client.open("/echo", f"Sec-WebSocket-Extensions: {self.offer}").decode()
            if "permessage-deflate" not in head or any(part not in head for part in self.accepted):
                return f"FAILED: {head!r}"
            for number in range(count):
                at = number * self.size % max(1, len(self.source) - self.size)
                data = self.source[at : at + self.size]
                payload = deflater.compress(data)
                pieces = fragmented(self.opcode, payload, self.fragment or len(payload) or 1, 4)
                client.send(b"".join(pieces))
                got = client.frame(WAIT)
                if got is None or got.opcode != self.opcode or not got.fin or got.rsv != 4:
                    return f"FAILED: message {number}: {got}"
                if self.server_forgets:
                    inflater = Inflater(self.server_bits)
                if inflater.decompress(got.payload) != data:
                    return f"FAILED: message {number} came back as another"
            client.send(close(1000))
            last = client.frame(WAIT)
            return "OK" if last and last.opcode == CLOSE else f"FAILED: closed by {last}"


def compression() -> Iterator[Compressed]:
    """12 and 13: permessage-deflate with different data and different parameters."""
    chance = random.Random(12)
    words = "the of and a to in is you that it he was for on are as with his they I".split()
    prose = " ".join(chance.choice(words) for _ in range(60_000)).encode()
    json = ",".join(f'{{"id": {n}, "value": {chance.random()}}}' for n in range(8000)).encode()
    sources = [
        (TEXT, json), (BINARY, bytes(chance.randrange(16) for _ in range(200_000))), (TEXT, prose),
        (BINARY, prose), (TEXT, b"*" * 200_000),
    ]
    shapes = [(1 << bits, 0) for bits in (4, 6, 8, 10, 12, 13, 14, 15, 16, 17)]
    shapes += [(1 << bits, 256) for bits in (13, 14, 15, 16, 17)]
    shapes += [(1 << 17, fragment) for fragment in (1024, 4096, 32768)]
    for group, (opcode, source) in enumerate(sources, 1):
        for number, (size, fragment) in enumerate(shapes, 1):
            yield Compressed(f"12.{group}.{number}", opcode, source, size, fragment, "permessage-deflate")
    forget, bits = "server_no_context_takeover", "server_max_window_bits"
    offers = [
        ("", 15, False), (f"; {forget}", 15, True), (f"; {bits}=9", 9, False), (f"; {bits}=15", 15, False),
        (f"; {forget}; {bits}=9", 9, True), (f"; {forget}; {bits}=15", 15, True), (f"; {bits}=8", 8, False),
    ]
    hints = "; client_no_context_takeover; client_max_window_bits"
    for group, (offer, window, forgets) in enumerate(offers, 1):
        accepted = tuple(part.strip() for part in offer.split(";") if part.strip())
        offer = f"permessage-deflate{offer}{hints}"
        if group == 7:
            # The first that can be had is taken.
            offer = f"permessage-deflate; {bits}=7, {offer}, permessage-deflate"
        for number, (size, fragment) in enumerate(shapes, 1):
            yield Compressed(
                f"13.{group}.{number}", TEXT, json, size, fragment, offer, accepted, window, forgets)


def cases() -> Iterator[Case | Compressed]:
    """All cases in order."""
    groups = (framing, pings, reserved, fragmentation, utf8, closes, limits, compression)
    return itertools.chain.from_iterable(group() for group in groups)
