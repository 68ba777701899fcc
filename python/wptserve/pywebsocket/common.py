"""Constants of the protocol, and the extensions of a handshake as values."""

from __future__ import annotations

from typing import Iterable

from .. import _wptserve

LOGLEVEL_FINE = 9

VERSION_HYBI13 = VERSION_HYBI14 = VERSION_HYBI15 = VERSION_HYBI16 = VERSION_HYBI17 = 13
VERSION_HYBI_LATEST = VERSION_HYBI13

DEFAULT_WEB_SOCKET_PORT = 80
DEFAULT_WEB_SOCKET_SECURE_PORT = 443

WEB_SOCKET_SCHEME = "ws"
WEB_SOCKET_SECURE_SCHEME = "wss"

OPCODE_CONTINUATION = 0x0
OPCODE_TEXT = 0x1
OPCODE_BINARY = 0x2
OPCODE_CLOSE = 0x8
OPCODE_PING = 0x9
OPCODE_PONG = 0xA

WEBSOCKET_ACCEPT_UUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

UPGRADE_HEADER = "Upgrade"
WEBSOCKET_UPGRADE_TYPE = "websocket"
CONNECTION_HEADER = "Connection"
UPGRADE_CONNECTION_TYPE = "Upgrade"
HOST_HEADER = "Host"
ORIGIN_HEADER = "Origin"
SEC_WEBSOCKET_KEY_HEADER = "Sec-WebSocket-Key"
SEC_WEBSOCKET_ACCEPT_HEADER = "Sec-WebSocket-Accept"
SEC_WEBSOCKET_VERSION_HEADER = "Sec-WebSocket-Version"
SEC_WEBSOCKET_PROTOCOL_HEADER = "Sec-WebSocket-Protocol"
SEC_WEBSOCKET_EXTENSIONS_HEADER = "Sec-WebSocket-Extensions"

PERMESSAGE_DEFLATE_EXTENSION = "permessage-deflate"

STATUS_NORMAL_CLOSURE = 1000
STATUS_GOING_AWAY = 1001
STATUS_PROTOCOL_ERROR = 1002
STATUS_UNSUPPORTED_DATA = 1003
STATUS_NO_STATUS_RECEIVED = 1005
STATUS_ABNORMAL_CLOSURE = 1006
STATUS_INVALID_FRAME_PAYLOAD_DATA = 1007
STATUS_POLICY_VIOLATION = 1008
STATUS_MESSAGE_TOO_BIG = 1009
STATUS_MANDATORY_EXTENSION = 1010
STATUS_INTERNAL_ENDPOINT_ERROR = 1011
STATUS_TLS_HANDSHAKE = 1015
STATUS_USER_REGISTERED_BASE = 3000
STATUS_USER_REGISTERED_MAX = 3999
STATUS_USER_PRIVATE_BASE = 4000
STATUS_USER_PRIVATE_MAX = 4999
# Older names of the same codes.
STATUS_NORMAL = STATUS_NORMAL_CLOSURE
STATUS_UNSUPPORTED = STATUS_UNSUPPORTED_DATA
STATUS_CODE_NOT_AVAILABLE = STATUS_NO_STATUS_RECEIVED
STATUS_ABNORMAL_CLOSE = STATUS_ABNORMAL_CLOSURE
STATUS_INVALID_FRAME_PAYLOAD = STATUS_INVALID_FRAME_PAYLOAD_DATA
STATUS_MANDATORY_EXT = STATUS_MANDATORY_EXTENSION

HTTP_STATUS_BAD_REQUEST = 400
HTTP_STATUS_FORBIDDEN = 403
HTTP_STATUS_NOT_FOUND = 404


def is_control_opcode(opcode: int) -> bool:
    """Whether the opcode is a control frame's."""
    return opcode >> 3 == 1


class ExtensionParameter:
    """An extension that is offered or accepted, with its parameters."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parameters: list[tuple[str, str | None]] = []

    def name(self) -> str:
        """The extension's name."""
        return self._name

    def add_parameter(self, name: str, value: str | None) -> None:
        """Adds a parameter; one without a value has `None`."""
        self._parameters.append((name, value))

    def get_parameters(self) -> list[tuple[str, str | None]]:
        """The parameters in order."""
        return self._parameters

    def get_parameter_names(self) -> list[str]:
        """The parameters' names in order."""
        return [name for name, _ in self._parameters]

    def has_parameter(self, name: str) -> bool:
        """Whether there is a parameter of that name."""
        return name in self.get_parameter_names()

    def get_parameter_value(self, name: str) -> str | None:
        """The value of the first parameter of that name; `None` also when there is none."""
        return next((value for other, value in self._parameters if other == name), None)


class ExtensionParsingException(Exception):
    """A Sec-WebSocket-Extensions field is malformed."""

    def __init__(self, name: str) -> None:
        super().__init__(name)


def parse_extensions(data: str) -> list[ExtensionParameter]:
    """The extensions of a Sec-WebSocket-Extensions field."""
    try:
        parsed = _wptserve.websocket_parse_extensions(data)
    except ValueError as error:
        raise ExtensionParsingException(str(error)) from None
    extensions = []
    for name, parameters in parsed:
        extension = ExtensionParameter(name)
        for parameter in parameters:
            extension.add_parameter(*parameter)
        extensions.append(extension)
    return extensions


def format_extension(extension: ExtensionParameter) -> str:
    """One extension as it stands in the field."""
    return format_extensions([extension])


def format_extensions(extension_list: Iterable[ExtensionParameter]) -> str:
    """A Sec-WebSocket-Extensions field."""
    return _wptserve.websocket_format_extensions(
        [(extension.name(), extension.get_parameters()) for extension in extension_list]
    )
