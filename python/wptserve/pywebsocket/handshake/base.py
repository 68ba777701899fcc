"""What the opening handshakes have in common."""

from __future__ import annotations

from typing import Any

from ... import _wptserve
from .. import common, http_header_util, util
from ..extensions import get_extension_processor
from ..stream import Stream, StreamOptions


class AbortedByUserException(Exception):
    """Raised by a handler to end the connection: nothing more is sent, and nothing is logged."""


class HandshakeException(Exception):
    """The handshake fails; the client gets the status, 400 if there is none."""

    def __init__(self, name: Any, status: int | None = None) -> None:
        super().__init__(name)
        self.status = status


class VersionException(Exception):
    """The client asks for another version of the protocol."""

    def __init__(self, name: str, supported_versions: str = "") -> None:
        super().__init__(name)
        self.supported_versions = supported_versions


def get_default_port(is_secure: bool) -> int:
    """The port of wss or ws."""
    if is_secure:
        return common.DEFAULT_WEB_SOCKET_SECURE_PORT
    return common.DEFAULT_WEB_SOCKET_PORT


def validate_subprotocol(subprotocol: str) -> None:
    """HandshakeException unless it is a token."""
    if not subprotocol:
        raise HandshakeException("the subprotocol is empty")
    state = http_header_util.ParsingState(subprotocol)
    http_header_util.consume_token(state)
    rest = http_header_util.peek(state)
    if rest is not None:
        raise HandshakeException(f"the subprotocol {subprotocol!r} is no token: {rest!r}")


def parse_host_header(request: Any) -> tuple[str, int]:
    """Host and port of the Host field."""
    host, colon, port = request.headers_in[common.HOST_HEADER].partition(":")
    if not colon:
        return host, get_default_port(request.is_https())
    try:
        return host, int(port)
    except ValueError as error:
        raise HandshakeException(f"the port of the Host field is no number: {error}") from None


def get_list_header(request: Any, key: str) -> str | None:
    """The value of a field that is a list: its lines together (RFC 9110, section 5.3)."""
    lines = request.headers_in.get_all(key)
    return None if lines is None else ", ".join(lines)


def get_mandatory_header(request: Any, key: str) -> str:
    """A field's value; HandshakeException when there is none."""
    value = request.headers_in.get(key)
    if value is None:
        raise HandshakeException(f"the header {key} is missing")
    return value


def validate_mandatory_header(
    request: Any, key: str, expected_value: str, fail_status: int | None = None
) -> None:
    """HandshakeException unless the field has that value, in any case."""
    value = get_mandatory_header(request, key)
    if value.lower() != expected_value.lower():
        message = f"the header {key} is {value!r}; {expected_value!r} is expected"
        raise HandshakeException(message, status=fail_status)


def parse_token_list(data: str) -> list[str]:
    """The tokens of a list."""
    try:
        return _wptserve.websocket_parse_tokens(data)
    except ValueError as error:
        raise HandshakeException(str(error)) from None


class HandshakerBase:
    """The steps of a handshake; a subclass has what its version of HTTP asks for."""

    def __init__(self, request: Any, dispatcher: Any) -> None:
        self._logger = util.get_class_logger(self)
        self._request = request
        self._dispatcher = dispatcher

    def _protocol_rfc(self) -> str:
        raise NotImplementedError

    def _transform_header(self, header: str) -> str:
        return header

    def _validate_request(self) -> None:
        raise NotImplementedError

    def _set_accept(self) -> None:
        raise NotImplementedError

    def _send_handshake(self) -> None:
        raise NotImplementedError

    def do_handshake(self) -> None:
        """Checks the request, asks the handler, sends the response, opens the stream."""
        request = self._request
        request.ws_close_code = None
        request.ws_close_reason = None
        try:
            self._validate_request()
            request.ws_resource = request.uri
            request.ws_version = self._check_version()
            request.ws_origin = request.headers_in.get(
                self._transform_header(common.ORIGIN_HEADER)
            )
            self._set_protocol()
            self._parse_extensions()
            self._set_accept()
            request.ws_extension_processors = self._requested_processors()
            request.extra_headers = []
            self._dispatcher.do_extra_handshake(request)
            options = StreamOptions()
            self._process_extensions(options)
            request.ws_stream = Stream(request, options)
            self._check_protocol()
            self._send_handshake()
        except HandshakeException as error:
            error.status = error.status or common.HTTP_STATUS_BAD_REQUEST
            raise

    def _list(self, name: str) -> str | None:
        return get_list_header(self._request, self._transform_header(name))

    def _check_version(self) -> int:
        name = self._transform_header(common.SEC_WEBSOCKET_VERSION_HEADER)
        version = get_mandatory_header(self._request, name)
        if version == str(common.VERSION_HYBI_LATEST):
            return common.VERSION_HYBI_LATEST
        if "," in version:
            raise HandshakeException(f"the header {name} has several versions: {version!r}")
        raise VersionException(
            f"the version {version!r} is unknown",
            supported_versions=str(common.VERSION_HYBI_LATEST),
        )

    def _set_protocol(self) -> None:
        self._request.ws_protocol = None
        protocols = self._list(common.SEC_WEBSOCKET_PROTOCOL_HEADER)
        self._request.ws_requested_protocols = (
            None if protocols is None else parse_token_list(protocols)
        )

    def _check_protocol(self) -> None:
        protocol = self._request.ws_protocol
        if self._request.ws_requested_protocols is None:
            if protocol is not None:
                raise HandshakeException(f"{protocol!r} is chosen, but no subprotocol is offered")
        elif protocol is None:
            raise HandshakeException("web_socket_do_extra_handshake chose no subprotocol")
        else:
            validate_subprotocol(protocol)

    def _parse_extensions(self) -> None:
        value = self._list(common.SEC_WEBSOCKET_EXTENSIONS_HEADER)
        try:
            self._request.ws_requested_extensions = (
                common.parse_extensions(value) if value else None
            )
        except common.ExtensionParsingException as error:
            raise HandshakeException(f"Sec-WebSocket-Extensions: {error}") from None

    def _requested_processors(self) -> list[Any]:
        offers = self._request.ws_requested_extensions or ()
        processors = (get_extension_processor(offer) for offer in offers)
        return [processor for processor in processors if processor is not None]

    def _process_extensions(self, options: StreamOptions) -> None:
        """The first processor that accepts is the only one."""
        processors = [p for p in self._request.ws_extension_processors if p is not None]
        for processor in reversed(processors):
            if processor.is_active():
                processor.check_consistency_with_other_processors(processors)
        accepted = []
        for index, processor in enumerate(processors):
            response = processor.get_extension_response() if processor.is_active() else None
            if response is None:
                continue
            accepted.append(response)
            processor.setup_stream_options(options)
            for other in processors[index + 1 :]:
                other.set_active(False)
        self._request.ws_extensions = accepted or None
