"""The opening handshake of RFC 8441, over HTTP/2.

The engine turns the head that is written here into the stream's header list, and what follows it
into DATA frames.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import common
from .base import HandshakeException, HandshakerBase


def write_head(request: Any, added: Iterable[tuple[str, Any]] = ()) -> None:
    """Sends what is in `status` and `headers_out`, and fields that are added, repeated ones too."""
    fields = [*request.headers_out.items(), *added]
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    head = f"HTTP/1.1 {request.status} \r\n{lines}\r\n"
    request.connection.write(head.encode("utf-8"))


class Handshaker(HandshakerBase):
    """The handshake of an extended CONNECT."""

    def _protocol_rfc(self) -> str:
        return "RFC 8441"

    def _transform_header(self, header: str) -> str:
        return header.lower()

    def _validate_request(self) -> None:
        if self._request.method != "CONNECT":
            raise HandshakeException(f"the method is {self._request.method!r}, not CONNECT")

    def _set_accept(self) -> None:
        """There is no key over HTTP/2."""

    def _send_handshake(self) -> None:
        request = self._request
        request.status = 200
        added = []
        if request.ws_protocol is not None:
            added.append(("sec-websocket-protocol", request.ws_protocol))
        if request.ws_extensions:
            extensions = common.format_extensions(request.ws_extensions)
            added.append(("sec-websocket-extensions", extensions))
        write_head(request, [*added, *request.extra_headers])
