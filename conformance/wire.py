"""Raw exchanges with an HTTP/1 server: bytes out, bytes in, and how it ended.

An exchange sends the steps of a case on one connection, then asks the probe
handler for a nonce on the same connection. If the probe answers, the server
kept the connection open; if the connection ends first, it was closed. That
tells open from closed without guessing from silence, and it also catches
every byte a server sends beyond the framing it announced.
"""

import contextlib
import dataclasses
import re
import select
import socket
import ssl
import time
import uuid

PROBE_PATH = b"/probe.py"
DEADLINE = 15.0
# How long the probe may go unanswered on an open connection.
PATIENCE = 8.0
# How long a response without framing may be silent before the probe is sent.
QUIET = 0.15
# How long a server may take to close after a framed response, before the probe.
CLOSE_GRACE = 0.01


@dataclasses.dataclass(frozen=True)
class Step:
    """Bytes to send, and how many responses to await before the next step."""

    data: bytes
    responses: int = 1


@dataclasses.dataclass
class Response:
    """One message as it was received; `status` is None for bytes that are no HTTP message."""

    status: bytes | None
    headers: list[bytes]
    body: bytes
    complete: bool

    def header_values(self, name: bytes) -> list[bytes]:
        """The values of the header lines called `name`, in order."""
        return [
            line.partition(b":")[2].strip()
            for line in self.headers
            if line.partition(b":")[0].strip().lower() == name.lower()
        ]


@dataclasses.dataclass
class Outcome:
    """All that one connection brought.

    `end` is "open" when the probe was answered, "closed" when the server
    ended the connection, and "silent" when neither happened in time.
    """

    responses: list[Response]
    end: str
    raw: bytes


def split_responses(data: bytes, methods: list[bytes]) -> list[Response]:
    """Cut the received bytes into messages by their own framing.

    `methods` are the request methods in order; a response to HEAD has no body.
    """
    responses = []
    methods = list(methods)
    position = 0
    while position < len(data):
        response, position = _next_response(data, position, methods)
        responses.append(response)
    return responses


def _next_response(data: bytes, start: int, methods: list[bytes]) -> tuple[Response, int]:
    head_end = data.find(b"\r\n\r\n", start)
    if not data.startswith(b"HTTP/", start) or head_end < 0:
        return Response(None, [], data[start:], False), len(data)
    # Only CR LF separates the lines: a handler's bare LF stays visible.
    status, *headers = data[start:head_end].split(b"\r\n")
    response = Response(status, headers, b"", True)
    body = head_end + 4
    code = _status_code(status)
    if 100 <= code < 200 and code != 101:
        return response, body
    method = methods.pop(0) if methods else b"GET"
    length = response.header_values(b"content-length")
    if b"chunked" in [value.lower() for value in response.header_values(b"transfer-encoding")]:
        end = _chunked_end(data, body)
    elif length and length[-1].isdigit():
        # A body sent in spite of HEAD does not look like the next message.
        omitted = method == b"HEAD" and (body == len(data) or data.startswith(b"HTTP/", body))
        end = body if omitted else body + int(length[-1])
    elif method == b"HEAD" and data.startswith(b"HTTP/", body):
        end = body
    else:
        end = None
    if end is None or end > len(data):
        response.complete = False
        end = len(data)
    response.body = data[body:end]
    return response, end


def _status_code(status: bytes) -> int:
    match = re.match(rb"HTTP/[\d.]+ (-?\d+)", status)
    return int(match.group(1)) if match else 0


def _chunked_end(data: bytes, position: int) -> int | None:
    while True:
        line_end = data.find(b"\r\n", position)
        if line_end < 0:
            return None
        try:
            size = int(data[position:line_end].partition(b";")[0], 16)
        except ValueError:
            return None
        position = line_end + 2
        if size == 0:
            trailers = data.find(b"\r\n\r\n", line_end)
            return trailers + 4 if trailers >= 0 else None
        position += size + 2


class Connection:
    """A client socket that remembers everything it received."""

    def __init__(self, address: tuple[str, int], deadline: float = DEADLINE):
        self.deadline = time.monotonic() + deadline
        self.socket = socket.create_connection(address, timeout=deadline)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._acknowledge()
        self.received = b""
        self.ended = False

    def encrypt(self) -> None:
        """Go on with TLS; whoever the server is, it is believed."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket.settimeout(max(self.deadline - time.monotonic(), 0.1))
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.socket.close()

    def _acknowledge(self) -> None:
        # The reference writes in small pieces without TCP_NODELAY, and would
        # wait 40 ms for a delayed acknowledgement with every response.
        if hasattr(socket, "TCP_QUICKACK"):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def send(self, data: bytes) -> None:
        """Send all of `data`; a peer that has gone is noticed by the next read."""
        # Reading while sending keeps an early answer from blocking both sides.
        view = memoryview(data)
        self.socket.setblocking(False)
        while view and not self.ended and time.monotonic() < self.deadline:
            readable, writable, _ = select.select([self.socket], [self.socket], [], 0.5)
            if writable:
                try:
                    view = view[self.socket.send(view):]
                except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    pass
                except OSError:
                    break
            if readable:
                self._receive()

    def read(self, wait: float) -> bool:
        """Read what arrives within `wait` seconds; False when nothing did."""
        wait = min(wait, self.deadline - time.monotonic())
        if self.ended or wait <= 0:
            return False
        # What is decrypted already does not show on the socket.
        if getattr(self.socket, "pending", lambda: 0)() == 0:
            readable, _, _ = select.select([self.socket], [], [], wait)
            if not readable:
                return False
        self._receive()
        return True

    def _receive(self) -> None:
        self.socket.setblocking(False)
        try:
            data = self.socket.recv(1 << 18)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            # A reset is how a close looks while the peer had bytes to read.
            data = b""
        if data:
            self.received += data
            self._acknowledge()
        else:
            self.ended = True


def request_method(data: bytes) -> bytes:
    """The method of the request that `data` begins with."""
    return data.lstrip(b"\r\n").partition(b" ")[0]


def exchange(
    address: tuple[str, int],
    steps: list[Step],
    methods: list[bytes],
    quiet: float = QUIET,
    probe: bool = True,
    half_close: bool = False,
    patience: float = PATIENCE,
    encryption: str | None = None,
) -> Outcome:
    """Run `steps` on one connection and return everything that came back.

    `encryption` is "tls" for TLS from the first byte on, "connect" for TLS once a CONNECT
    request is answered.
    """
    with Connection(address) as connection:
        if encryption == "connect":
            connection.send(b"CONNECT web-platform.test:443 HTTP/1.1\r\n\r\n")
            while b"\r\n\r\n" not in connection.received and connection.read(DEADLINE):
                pass
            # Cases of CONNECT itself compare this head.
            connection.received = b""
        if encryption:
            connection.encrypt()
        awaited = 0
        for step in steps:
            connection.send(step.data)
            awaited += step.responses
            _await_responses(connection, methods, awaited, quiet)
        if half_close:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_WR)
            while connection.read(quiet):
                pass
        end = _find_end(connection, probe and not half_close, patience)
        responses = split_responses(connection.received, methods)
        return Outcome(responses, end, connection.received)


def _await_responses(
    connection: Connection, methods: list[bytes], count: int, quiet: float
) -> None:
    while not connection.ended:
        responses = split_responses(connection.received, methods)
        complete = sum(response.complete for response in responses)
        if complete >= count:
            return
        if not connection.read(quiet):
            return


def _find_end(connection: Connection, probe: bool, patience: float) -> str:
    while connection.read(CLOSE_GRACE):
        pass
    if connection.ended:
        return "closed"
    if not probe:
        return "silent"
    nonce = uuid.uuid4().hex.encode()
    marker = b"HTTP/1.1 200 OK\r\nX-Probe: " + nonce
    connection.send(
        b"GET " + PROBE_PATH + b"?" + nonce + b" HTTP/1.1\r\nHost: probe.test\r\n\r\n"
    )
    while marker not in connection.received:
        if not connection.read(patience):
            return "closed" if connection.ended else "silent"
    connection.received = connection.received[: connection.received.index(marker)]
    return "open"
