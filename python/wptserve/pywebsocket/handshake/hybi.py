"""The opening handshake of RFC 6455, over HTTP/1.1."""

from __future__ import annotations

from typing import Any

from ... import _wptserve
from .. import common
from .base import (
    HandshakeException,
    HandshakerBase,
    get_list_header,
    get_mandatory_header,
    parse_token_list,
    validate_mandatory_header,
)


def check_request_line(request: Any) -> None:
    """HandshakeException unless the request is a GET of HTTP/1.1."""
    if request.method != "GET":
        raise HandshakeException(f"the method is {request.method!r}; GET is expected")
    if request.protocol != "HTTP/1.1":
        raise HandshakeException(f"the version is {request.protocol!r}; HTTP/1.1 is expected")


def compute_accept(key: bytes) -> bytes:
    """The value of Sec-WebSocket-Accept for a key."""
    return _wptserve.websocket_accept(key)


def compute_accept_from_unicode(unicode_key: str) -> bytes:
    """The same for a key that is text."""
    return compute_accept(unicode_key.encode("utf-8"))


def format_header(name: str, value: Any) -> str:
    """A field's line."""
    return f"{name}: {value}\r\n"


class Handshaker(HandshakerBase):
    """The handshake of RFC 6455."""

    def _protocol_rfc(self) -> str:
        return "RFC 6455"

    def _validate_request(self) -> None:
        check_request_line(self._request)
        validate_mandatory_header(
            self._request, common.UPGRADE_HEADER, common.WEBSOCKET_UPGRADE_TYPE
        )
        connection = get_list_header(self._request, common.CONNECTION_HEADER)
        if connection is None:
            raise HandshakeException(f"the header {common.CONNECTION_HEADER} is missing")
        tokens = [token.lower() for token in parse_token_list(connection)]
        if common.UPGRADE_CONNECTION_TYPE.lower() not in tokens:
            raise HandshakeException(f"the header Connection is {connection!r}, without Upgrade")
        get_mandatory_header(self._request, common.HOST_HEADER)

    def _set_accept(self) -> None:
        key = get_mandatory_header(self._request, common.SEC_WEBSOCKET_KEY_HEADER)
        if not _wptserve.websocket_is_key(key):
            raise HandshakeException(f"the header Sec-WebSocket-Key is {key!r}, which is no key")
        self._request._accept = compute_accept_from_unicode(key)

    def _create_handshake_response(self, accept: bytes) -> str:
        request = self._request
        lines = [
            "HTTP/1.1 101 Switching Protocols\r\n",
            format_header(common.UPGRADE_HEADER, common.WEBSOCKET_UPGRADE_TYPE),
            format_header(common.CONNECTION_HEADER, common.UPGRADE_CONNECTION_TYPE),
            format_header(common.SEC_WEBSOCKET_ACCEPT_HEADER, accept.decode("utf-8")),
        ]
        if request.ws_protocol is not None:
            lines.append(format_header(common.SEC_WEBSOCKET_PROTOCOL_HEADER, request.ws_protocol))
        if request.ws_extensions:
            extensions = common.format_extensions(request.ws_extensions)
            lines.append(format_header(common.SEC_WEBSOCKET_EXTENSIONS_HEADER, extensions))
        # A value may bring lines of its own.
        lines += [format_header(name, value) for name, value in request.extra_headers]
        return "".join([*lines, "\r\n"])

    def _send_handshake(self) -> None:
        response = self._create_handshake_response(self._request._accept)
        self._request.connection.write(response.encode("utf-8"))
