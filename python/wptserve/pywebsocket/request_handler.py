"""One connection: the handshake, then the handler; or an answer in plain HTTP."""

from __future__ import annotations

from http.client import HTTPMessage
from typing import Any, Iterable

from .. import _wptserve
from .._message import message_from_fields
from . import common, dispatch, handshake, http_header_util, importing


class Request:
    """The request as handlers see it. The handshake adds the ``ws_`` attributes."""

    def __init__(
        self,
        connection: Any,
        method: str,
        target: str,
        protocol: str,
        fields: Iterable[tuple[str, str]],
        secure: bool,
    ) -> None:
        self.connection = connection
        self.method = method
        # Both are the request's target.
        self.uri = self.unparsed_uri = target
        self.protocol = protocol
        self.headers_in = message_from_fields(HTTPMessage, fields)
        self._secure = secure
        # Over HTTP/2 a handler that aborts says here what the client gets.
        self.status: int | None = None
        self.headers_out: dict[str, Any] = {}

    def is_https(self) -> bool:
        """Whether the connection is secure."""
        return self._secure


class Service:
    """The handlers below some directories; answers whole connections."""

    def __init__(self, roots: list[str], doc_root: str, reload: bool) -> None:
        importing.install()
        self._doc_root = doc_root
        first, *others = roots
        self._dispatcher = dispatch.Dispatcher(
            first, allow_handlers_outside_root_dir=False, reload=reload
        )
        for root in others:
            self._dispatcher.add_root(root)
        self._warn()

    def _warn(self) -> None:
        for warning in self._dispatcher.take_warnings():
            _wptserve.log(30, "websocket", f"a handler is left out: {warning}")

    def answer(self, connection: Any, head: tuple[Any, ...]) -> None:
        """Answers the request and speaks with its client until one of them closes. Raises what the
        handler raises."""
        request = Request(connection, *head)
        resource = http_header_util.parse_uri(request.uri)[2]
        if resource is None:
            return self._plain(request)
        request.uri = request.unparsed_uri = resource
        try:
            suite = self._dispatcher.get_handler_suite(resource)
        except dispatch.DispatchException as error:
            return self._refuse(request, error.status)
        finally:
            self._warn()
        if suite is None:
            return self._plain(request)
        connection.note_handler(suite.path)
        try:
            if self._open(request):
                self._dispatcher.transfer_data(request)
        except handshake.AbortedByUserException:
            if request.protocol == "HTTP/2" and request.status not in (None, 200):
                handshake.h2.write_head(request)

    def _open(self, request: Request) -> bool:
        try:
            handshake.do_handshake(request, self._dispatcher)
        except handshake.VersionException as error:
            if request.protocol == "HTTP/2":
                self._refuse(request, common.HTTP_STATUS_BAD_REQUEST)
                return False
            answer = _plain_handler(request, self._doc_root)
            answer.send_response(common.HTTP_STATUS_BAD_REQUEST)
            answer.send_header(common.SEC_WEBSOCKET_VERSION_HEADER, error.supported_versions)
            answer.end_headers()
            return False
        except handshake.HandshakeException as error:
            if error.__cause__ is not None:
                request.connection.report(error.__cause__)
            else:
                target = f"{request.method} {request.uri}"
                _wptserve.log(20, "websocket", f"the handshake of {target} failed: {error}")
            self._refuse(request, error.status or common.HTTP_STATUS_BAD_REQUEST)
            return False
        request.connection.note_status(101)
        request._dispatcher = self._dispatcher  # type: ignore[attr-defined]
        return True

    def _refuse(self, request: Request, status: int) -> None:
        if request.protocol == "HTTP/2":
            request.status, request.headers_out = status, {}
            return handshake.h2.write_head(request)
        _plain_handler(request, self._doc_root).send_error(status)

    def _plain(self, request: Request) -> None:
        """A request for no handler: files of the document root, as Python's own server does it."""
        if request.protocol == "HTTP/2":
            return self._refuse(request, common.HTTP_STATUS_NOT_FOUND)
        answer = _plain_handler(request, self._doc_root)
        method = getattr(answer, f"do_{request.method}", None)
        if method is None:
            # The reference's words: they reach the client.
            answer.send_error(501, f"Unsupported method ({request.method!r})")
        else:
            method()


def _plain_handler(request: Request, doc_root: str) -> Any:
    """The reference is built on the standard library's server, and so are its answers: over
    HTTP/1.0, with the library's pages. This is that server's handler on our connection."""
    from http.server import SimpleHTTPRequestHandler

    class PlainHandler(SimpleHTTPRequestHandler):
        def __init__(self) -> None:
            # Not the base class's: that reads a request from a socket.
            connection = request.connection
            self.directory = doc_root
            self.client_address = connection.remote_addr
            self.command = request.method
            self.path = request.uri
            self.request_version = request.protocol
            self.requestline = f"{request.method} {request.uri} {request.protocol}"
            self.headers = request.headers_in
            self.rfile = self.wfile = connection
            self.close_connection = True

        def do_POST(self) -> None:
            self.send_error(501, "Can only POST to CGI scripts")

        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            request.connection.note_status(int(code))

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return PlainHandler()
