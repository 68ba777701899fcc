"""`response.writer._handler`: what `http.server` has for a request, on a connection of the engine.

The engine reads requests and writes responses by itself. A Python file handler that reaches behind
the writer finds an object here that writes to the same connection, in order with the writer.
"""

from __future__ import annotations

import socket
from typing import Any

from ._request_handler import Http1WebTestRequestHandler
from .logger import get_logger
from .request import H2Request
from .response import Response


def handler_of(response: Response, scheme: str, address: tuple[str, int]) -> Any:
    """The handler of a response. `address` is the server's."""
    request = response.request
    if isinstance(request, H2Request):
        return EngineHttp2Handler(request, EngineServer("http2", address, request.doc_root))
    return EngineHandler(response, EngineServer(scheme, address, request.doc_root))


class EngineServer:
    """What the handler knows of its server."""

    def __init__(self, scheme: str, address: tuple[str, int], doc_root: str) -> None:
        self.scheme = scheme
        self.server_address = address
        self.server_name, self.server_port = address
        self.router = EngineRouter(doc_root)


class EngineRouter:
    """The directory that routes lead to."""

    def __init__(self, doc_root: str) -> None:
        self.doc_root = doc_root


class EngineHandler(Http1WebTestRequestHandler):
    """The handler of a request over HTTP/1.1 that has been read."""

    def __init__(self, response: Response, server: EngineServer) -> None:
        # What is inherited would read a request from a socket.
        request = response.request
        self.logger = get_logger()
        self.server = server
        self.client_address = request.client_address
        self.request = self.connection = EngineConnection(response, server.server_address)
        # Both have what a handler uses of a file.
        self.rfile = EngineInput(request.raw_input)  # type: ignore[assignment]
        self.wfile = response.writer._wfile  # type: ignore[assignment]
        self.raw_requestline = request.request_line
        self.requestline = self.raw_requestline.decode("latin-1").rstrip("\r\n")
        self.command = request.method
        self.path = request.request_path
        self.headers = request.raw_headers
        words = self.requestline.split()
        self.request_version = words[-1] if len(words) > 2 else self.default_request_version
        self.close_connection = self._is_last()

    def _is_last(self) -> bool:
        connection = (self.headers.get("Connection") or "").lower()
        if connection in ("close", "keep-alive"):
            return connection == "close"
        return self.request_version < "HTTP/1.1"


# The name that a handler sees is the one it is known by.
EngineHandler.__name__ = EngineHandler.__qualname__ = Http1WebTestRequestHandler.__name__


class EngineHttp2Handler:
    """The handler of a request over HTTP/2. It has nothing that writes: frames are the writer's."""

    def __init__(self, request: H2Request, server: EngineServer) -> None:
        self.server = server
        self.client_address = request.client_address
        self.protocol_version = request.protocol_version
        self.h2_stream_id = request.h2_stream_id
        self.headers = request.raw_headers
        self.command = request.method
        self.path = request.request_path
        self.raw_requestline = ""
        self.rfile = EngineInput(request.raw_input)


class EngineInput:
    """The body of the request as the file that it is read from: it does not go back."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self.read = body.read
        self.read1 = body.read
        self.readline = body.readline
        self.readlines = body.readlines

    def readable(self) -> bool:
        """True: it is there to be read."""
        return True

    def __iter__(self) -> Any:
        return iter(self._body)


class EngineConnection:
    """The connection with the methods of a socket that send and receive."""

    def __init__(self, response: Response, address: tuple[str, int]) -> None:
        self._response = response
        self._address = address
        self._taken: Any = None
        self._timeout: float | None = None

    def sendall(self, data: Any) -> None:
        """Sends bytes as they are. `BrokenPipeError` once the client is gone."""
        self.send(data)

    def send(self, data: Any) -> int:
        """Sends all of the bytes, and returns their number."""
        return self._response.writer._wfile.write(data)

    def recv(self, size: int) -> bytes:
        """One to `size` bytes of what the client sends behind the request; empty at the end."""
        return self._take_over().read(size, self._timeout)

    def settimeout(self, timeout: float | None) -> None:
        """Limits the seconds that `recv` waits."""
        self._timeout = timeout

    def gettimeout(self) -> float | None:
        """The limit in seconds."""
        return self._timeout

    def getpeername(self) -> tuple[str, int]:
        """The client's address."""
        return self._response.request.client_address

    def getsockname(self) -> tuple[str, int]:
        """The server's address."""
        return self._address

    def shutdown(self, how: int) -> None:
        """Ends the side that sends, once all is delivered."""
        if how != socket.SHUT_RD:
            self._take_over().close()

    def _take_over(self) -> Any:
        if self._taken is None:
            writer = self._response.writer
            written = writer.content_written
            self._taken = writer.take_over()
            # Only the writer's own methods count as writing.
            writer.content_written = written
        return self._taken
