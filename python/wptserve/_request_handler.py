"""Connections that Python serves: for programs with a handler class of their own.

The engine reads requests by itself. A class that is derived from those here has methods that are
to be called, so a server with such a class reads its requests with `http.server`, a thread for
each connection, and is as slow as that; routes, handlers and responses are the same.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable

from ._wptserve import __version__
from .logger import get_logger
from .request import Request
from .response import Response
from .utils import HTTPException, get_error_cause

MAX_LINE = 65536


class BaseWebTestRequestHandler(BaseHTTPRequestHandler):
    """One connection. `server` is the `WebTestServer`."""

    server: Any
    protocol_version = "HTTP/1.1"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.logger = get_logger()
        super().__init__(*args, **kwargs)

    def finish_handling_h1(self, request_line_is_valid: bool) -> None:
        """Answers the request that was read."""
        self.server.rewriter.rewrite(self)
        with Request(self) as request:
            response = Response(self, request)
            if request.method == "CONNECT":
                self.handle_connect(response)
            elif not request_line_is_valid:
                response.set_error(414)
                response.write()
                self.close_connection = True
            else:
                handler = self.server.router.get_handler(request)
                self.finish_handling(request, response, handler)

    def finish_handling(
        self, request: Request, response: Response, handler: Callable[[Any, Any], Any] | None
    ) -> None:
        """Calls the handler of a route, and sees to it that a response is written."""
        if base_path := getattr(handler, "base_path", None):
            request.doc_root = base_path
        request.url_base = getattr(handler, "url_base", "/")
        latency = self.server.latency
        if latency is not None:
            time.sleep((latency() if callable(latency) else latency) / 1000)
        try:
            if handler is None:
                raise HTTPException(404)
            handler(request, response)
        except HTTPException as error:
            cause = get_error_cause(error) if 500 <= error.code < 600 else error
            response.set_error(error.code, cause)
        except Exception as error:
            response.set_error(500, error)
        if not response.writer.content_written:
            response.write()
        if response.close_connection:
            self.close_connection = True
        if not self.close_connection:
            # What is left of the body is not the next request.
            request.raw_input.read()

    def handle_connect(self, response: Response) -> None:
        """Answers a CONNECT request, behind which TLS may begin."""
        response.status = 200
        response.write()
        if self.server.encrypt_after_connect:
            self.request = self.server._engine.tls.wrap_socket(self.connection, server_side=True)
            self.setup()

    def version_string(self) -> str:
        """What `Server` says."""
        return f"wptserve/{__version__}"

    def log_message(self, format: str, *args: Any) -> None:
        """Writes to the program's log."""
        self.logger.debug(format % args)


class Http1WebTestRequestHandler(BaseWebTestRequestHandler):
    """HTTP/1.1."""

    def handle_one_request(self) -> None:
        """Reads a request and answers it."""
        try:
            self.close_connection = False
            is_valid = self.get_request_line()
            if not self.close_connection and self.parse_request():
                self.finish_handling_h1(is_valid)
        except socket.timeout as error:
            self.log_error("the request timed out: %r", error)
            self.close_connection = True
        except OSError as error:
            self.log_error("the connection failed: %r", error)
            self.close_connection = True

    def get_request_line(self) -> bool:
        """Reads the request line into `raw_requestline`; False when it is too long."""
        self.raw_requestline = self.rfile.readline(MAX_LINE + 1)
        if not self.raw_requestline:
            self.close_connection = True
        return len(self.raw_requestline) <= MAX_LINE


class Http2WebTestRequestHandler(BaseWebTestRequestHandler):
    """HTTP/2, which the engine alone speaks."""

    protocol_version = "HTTP/2.0"


OWN = (BaseWebTestRequestHandler, Http1WebTestRequestHandler, Http2WebTestRequestHandler)


class PythonEngine:
    """What `_wptserve.Engine` is, with `http.server` for an engine."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        server: Any,
        handler_class: type,
        http2: bool = False,
        key: str | None = None,
        certificate: str | None = None,
        encrypt_after_connect: bool = False,
    ) -> None:
        if http2:
            raise TypeError(
                f"handler_cls {handler_class!r}: the engine alone speaks HTTP/2, so that it is "
                "Http2WebTestRequestHandler itself"
            )
        tls = None if key is None or certificate is None else _context(key, certificate)

        class Server(ThreadingHTTPServer):
            request_queue_size = 2000

            def finish_request(self, request: Any, client_address: Any) -> None:
                if tls is not None and not encrypt_after_connect:
                    request = tls.wrap_socket(request, server_side=True)
                handler_class(request, client_address, server)

            def handle_error(self, request: Any, client_address: Any) -> None:
                get_logger().debug(f"the connection of {client_address} failed", exc_info=True)

        self._server = Server((host, port), BaseHTTPRequestHandler)
        self._thread: threading.Thread | None = None
        address, number = self._server.socket.getsockname()[:2]
        self.addresses: list[tuple[str, int]] = [(address, number)]
        self.tls = tls

    def fileno(self) -> int:
        """The descriptor of the listening socket."""
        return self._server.fileno()

    def start(self, *_settings: Any) -> None:
        """Begins to accept. Everything is asked of the server when it is needed."""
        if self._thread is not None:
            raise RuntimeError("a server can be started once")
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="wptserve", daemon=True
        )
        self._thread.start()

    def route(self, *_routing: Any) -> None:
        """Nothing: the router is asked each time."""

    def stop(self) -> None:
        """Stops accepting, and closes the listening socket."""
        if self._thread is not None and self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def abandon(self) -> None:
        """In a forked child: lets go of the socket."""
        os.close(self._server.socket.detach())


def _context(key: str, certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keyfile=key, certfile=certificate)
    return context
