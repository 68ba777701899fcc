"""The client's side: whole requests, and raw conversations step by step."""

import dataclasses
import http.client
import selectors
import socket
import time

import wire

from running import Server


@dataclasses.dataclass
class Answer:
    """A response as a client library sees it."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


def fetch(
    server: Server,
    path: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    patience: float = 15.0,
) -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(*server.address, timeout=patience)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def head(method: str, path: str, *fields: str, version: str = "1.1") -> bytes:
    """A request head with a Host."""
    lines = [f"{method} {path} HTTP/{version}", "Host: test.test", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def get(path: str, *fields: str) -> bytes:
    """A GET request."""
    return head("GET", path, *fields)


def post(path: str, body: bytes, *fields: str) -> bytes:
    """A POST request with a Content-Length."""
    return head("POST", path, f"Content-Length: {len(body)}", *fields) + body


def connect(server: Server, patience: float = wire.DEADLINE) -> wire.Connection:
    """A raw connection; each wait on it ends with its deadline."""
    return wire.Connection(server.address, patience)


def read_until(connection: wire.Connection, marker: bytes) -> None:
    """Read until the marker was received."""
    while marker not in connection.received:
        assert connection.read(60), (
            f"{marker!r} did not come (ended: {connection.ended}); "
            f"got {connection.received[-500:]!r}"
        )


def read_to_end(connection: wire.Connection) -> bytes:
    """Read until the server closes; everything that was received."""
    while not connection.ended:
        assert connection.read(60), f"no close; got {connection.received[-500:]!r}"
    return connection.received


def responses(
    connection: wire.Connection, count: int, methods: tuple[bytes, ...] = ()
) -> list[wire.Response]:
    """Read until there are that many whole responses."""
    while True:
        found = wire.split_responses(connection.received, list(methods))
        if sum(response.complete for response in found) >= count:
            return found
        assert not connection.ended and connection.read(60), (
            f"{count} responses did not come (ended: {connection.ended}); "
            f"got {connection.received[-500:]!r}"
        )


def statuses(found: list[wire.Response]) -> list[bytes | None]:
    """The status codes of messages, in order."""
    return [response.status and response.status.split()[1] for response in found]


def converse(server: Server, data: bytes, patience: float = wire.DEADLINE) -> list[wire.Response]:
    """Send, then read until the server closes; the messages that came."""
    with connect(server, patience) as connection:
        connection.send(data)
        return wire.split_responses(read_to_end(connection), [])


class Crowd:
    """Many requests at once, from one thread: one connection each, closed by the server."""

    def __init__(self, server: Server):
        self.server = server
        self.received: dict[socket.socket, bytearray] = {}
        self.selector = selectors.DefaultSelector()

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *exc_info: object) -> None:
        for connection in self.received:
            connection.close()
        self.selector.close()

    def ask(self, path: str) -> None:
        """Send one request."""
        connection = socket.create_connection(self.server.address, timeout=15)
        connection.sendall(get(path, "Connection: close"))
        connection.setblocking(False)
        self.received[connection] = bytearray()
        self.selector.register(connection, selectors.EVENT_READ)

    def answers(self, patience: float) -> list[tuple[bytes, bytes]]:
        """The status code and the body of each response, in the order of the requests."""
        deadline = time.monotonic() + patience
        while self.selector.get_map():
            left = deadline - time.monotonic()
            assert left > 0, f"{len(self.selector.get_map())} of {len(self.received)} unanswered"
            for key, _ in self.selector.select(left):
                data = key.fileobj.recv(65536)
                self.received[key.fileobj] += data
                if not data:
                    self.selector.unregister(key.fileobj)
        found = [wire.split_responses(bytes(data), []) for data in self.received.values()]
        return [
            (messages[0].status.split()[1], messages[0].body) if messages else (b"", b"")
            for messages in found
        ]
