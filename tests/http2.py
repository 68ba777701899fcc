"""Clients of HTTP/2 that hold one connection: requests side by side, or frame by frame."""

import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator

import websocket
from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from hyperframe.frame import Frame, PingFrame

PATIENCE = 8.0
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM = ACK = 1
END_HEADERS, PADDED, PRIORITIZED = 4, 8, 32
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """One frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name: str, value: str, first: bytes = b"\0") -> bytes:
    """A field, not indexed."""
    parts = [name.encode(), value.encode()]
    return first + b"".join(bytes([len(part)]) + part for part in parts)


def block(*fields: tuple[str, str], method: str = "GET", path: str = "/", scheme: str = "http"):
    """A request's header block."""
    pseudo = [(":method", method), (":scheme", scheme), (":path", path), (":authority", "a.test")]
    return b"".join(literal(*field) for field in [*pseudo, *fields])


def settings(*pairs: tuple[int, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


class Client:
    """One connection. What it received stands in `received`, event by event."""

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext | None = None):
        self.socket = socket.create_connection(address, PATIENCE)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        # What a careful library refuses to send is what a server has to stand.
        config = H2Configuration(
            client_side=True, header_encoding="latin-1", validate_outbound_headers=False
        )
        self.h2 = H2Connection(config)
        self.h2.initiate_connection()
        self.received: list[events.Event] = []
        self.ended = False
        # A slow reader leaves the windows as they are.
        self.gives_room = True
        self.flush()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.socket.close()

    def ask(
        self, path: str, method: str = "GET", *fields: tuple[str, str],
        body: bytes | None = b"", end: bool = True,
    ) -> int:
        """Send a request; `body` as far as there is room, `end` unless more follows. Its stream."""
        stream = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "http"), (":authority", "a.test"), (":path", path)]
        self.h2.send_headers(stream, head + list(fields), end_stream=end and not body)
        if body:
            self.send(stream, body, end)
        self.flush()
        return stream

    def send(self, stream: int, body: bytes, end: bool = False) -> None:
        """Send content, waiting for room when there is none."""
        while body:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room == 0:
                self.wait(lambda: self.h2.local_flow_control_window(stream), "room to send")
                continue
            self.h2.send_data(stream, body[:room], end_stream=end and len(body) <= room)
            body = body[room:]
            self.flush()

    def reset(self, stream: int, code: int = 8) -> None:
        """Cancel a request."""
        self.h2.reset_stream(stream, code)
        self.flush()

    def flush(self) -> None:
        """Send what the library has to send."""
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(self.h2.data_to_send())

    def read(self, patience: float = PATIENCE) -> bool:
        """Receive once; whether anything came."""
        self.socket.settimeout(patience)
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return False
        except ConnectionError:
            data = b""
        if not data:
            self.ended = True
            return False
        for event in self.h2.receive_data(data):
            self.received.append(event)
            if self.gives_room and isinstance(event, events.DataReceived):
                length = event.flow_controlled_length
                self.h2.acknowledge_received_data(length, event.stream_id)
        self.flush()
        return True

    def frames(self) -> Iterator[Frame]:
        """Frames until the connection ends, past the library: it takes GOAWAY for the last."""
        buffer = b""
        self.socket.settimeout(PATIENCE)
        while data := self.socket.recv(65536):
            buffer += data
            while len(buffer) >= 9 and len(buffer) >= 9 + int.from_bytes(buffer[:3], "big"):
                frame, length = Frame.parse_frame_header(memoryview(buffer[:9]))
                frame.parse_body(memoryview(buffer[9 : 9 + length]))
                buffer = buffer[9 + length :]
                if isinstance(frame, PingFrame) and "ACK" not in frame.flags:
                    pong = PingFrame(0, frame.opaque_data, flags=["ACK"])
                    self.socket.sendall(pong.serialize())
                yield frame

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Receive until the condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0 and not self.ended and self.read(left), f"{what}: {self.received}"

    def events(self, stream: int, kind: type) -> list:
        """What came on a stream, of one kind."""
        return [
            event for event in self.received
            if isinstance(event, kind) and getattr(event, "stream_id", 0) == stream
        ]

    def head(self, stream: int) -> dict[str, str]:
        """The header list of a response."""
        self.wait(lambda: self.events(stream, events.ResponseReceived), f"a head on {stream}")
        return dict(self.events(stream, events.ResponseReceived)[0].headers)

    def data(self, stream: int) -> bytes:
        """The content that has come."""
        return b"".join(event.data for event in self.events(stream, events.DataReceived))

    def answer(self, stream: int) -> tuple[str, bytes]:
        """The status and the content of a whole response."""
        self.wait(lambda: self.events(stream, events.StreamEnded), f"the end of {stream}")
        return self.head(stream)[":status"], self.data(stream)

    def fetch(self, path: str, *arguments, **options) -> tuple[str, bytes]:
        """A request and its whole response."""
        return self.answer(self.ask(path, *arguments, **options))

    def reset_code(self, stream: int) -> int:
        """The error code that ends a stream."""
        self.wait(lambda: self.events(stream, events.StreamReset), f"the reset of {stream}")
        return int(self.events(stream, events.StreamReset)[0].error_code)

    def connect(self, path: str, *fields: tuple[str, str], protocol: str = "websocket") -> int:
        """An extended CONNECT (RFC 8441). Its stream."""
        usual = (("sec-websocket-version", "13"), ("origin", "http://a.test"))
        return self.ask(path, "CONNECT", (":protocol", protocol), *usual, *fields, end=False)

    def message(self, stream: int, number: int = 1) -> list[websocket.Frame]:
        """The first WebSocket frames of a stream."""

        def frames() -> list[websocket.Frame]:
            parser = websocket.Parser()
            parser.buffer = self.data(stream)
            return list(iter(parser.next, None))

        self.wait(lambda: len(frames()) >= number, f"{number} frames")
        return frames()


class Raw:
    """One connection past its preface, frame by frame."""

    def __init__(self, address: tuple[str, int]):
        self.socket = socket.create_connection(address, PATIENCE)
        self.buffer = b""
        self.send(PREFACE + settings())

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send frames."""
        self.socket.sendall(data)

    def head(
        self, stream: int, *fields: tuple[str, str], flags: int = END_STREAM, **pseudo: str
    ) -> None:
        """Send the head of a request, which is all of it."""
        self.send(frame(HEADERS, flags | END_HEADERS, stream, block(*fields, **pseudo)))

    def frame(self) -> tuple[int, int, int, bytes]:
        """The next frame: its type, its flags, its stream and its payload."""
        self._fill(9)
        length = int.from_bytes(self.buffer[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
        self._fill(9 + length)
        payload, self.buffer = self.buffer[9 : 9 + length], self.buffer[9 + length :]
        return kind, flags, stream, payload

    def _fill(self, length: int) -> None:
        while len(self.buffer) < length:
            data = self.socket.recv(65536)
            assert data, "the connection ended"
            self.buffer += data

    def until(self, stream: int, kind: int) -> tuple[int, int, int, bytes]:
        """The next frame of a type on a stream."""
        while True:
            found = self.frame()
            if (found[0], found[2]) == (kind, stream):
                return found

    def stream(self, stream: int) -> list[tuple[int, int, int, bytes]]:
        """The frames of a stream, up to its end."""
        found = []
        while not (found and (found[-1][0] == RST or found[-1][1] & END_STREAM)):
            following = self.frame()
            if following[2] == stream:
                found.append(following)
        return found
