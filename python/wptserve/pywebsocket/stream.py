"""Frames as bytes, and the stream of an open WebSocket."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from typing import Any, Callable, Iterable

from .. import _wptserve
from . import common, util
from ._stream_exceptions import (
    BadOperationException,
    ConnectionTerminatedException,
    InvalidFrameException,
    InvalidUTF8Exception,
    MessageTooBigException,
    UnsupportedFrameException,
)

__all__ = [
    "BadOperationException",
    "ConnectionTerminatedException",
    "FragmentedFrameBuilder",
    "Frame",
    "InvalidFrameException",
    "InvalidUTF8Exception",
    "MessageTooBigException",
    "Stream",
    "StreamOptions",
    "UnsupportedFrameException",
    "create_binary_frame",
    "create_close_frame",
    "create_closing_handshake_body",
    "create_header",
    "create_length_header",
    "create_ping_frame",
    "create_pong_frame",
    "create_text_frame",
    "parse_frame",
]


class Frame:
    """A frame, for filters."""

    def __init__(
        self,
        fin: int = 1,
        rsv1: int = 0,
        rsv2: int = 0,
        rsv3: int = 0,
        opcode: int | None = None,
        payload: bytes = b"",
    ) -> None:
        self.fin = fin
        self.rsv1 = rsv1
        self.rsv2 = rsv2
        self.rsv3 = rsv3
        self.opcode = opcode
        self.payload = payload


def create_length_header(length: int, mask: bool) -> bytes:
    """The mask bit and the length, as they stand in a frame's header."""
    mask_bit = 0x80 if mask else 0
    if length < 0:
        raise ValueError("the length is negative")
    if length <= 125:
        return bytes((mask_bit | length,))
    if length < 1 << 16:
        return bytes((mask_bit | 126,)) + length.to_bytes(2, "big")
    if length < 1 << 63:
        return bytes((mask_bit | 127,)) + length.to_bytes(8, "big")
    raise ValueError("the payload is too long for one frame")


def create_header(
    opcode: int, payload_length: int, fin: int, rsv1: int, rsv2: int, rsv3: int, mask: bool
) -> bytes:
    """A frame's header, without the masking key."""
    if not 0 <= opcode <= 0xF:
        raise ValueError("the opcode is out of range")
    if not 0 <= payload_length < 1 << 63:
        raise ValueError("payload_length is out of range")
    if (fin | rsv1 | rsv2 | rsv3) & ~1:
        raise ValueError("FIN and the reserved bits are 0 or 1")
    first = fin << 7 | rsv1 << 6 | rsv2 << 5 | rsv3 << 4 | opcode
    return bytes((first,)) + create_length_header(payload_length, mask)


def _frame_bytes(frame: Frame, mask: bool, frame_filters: Iterable[Any]) -> bytes:
    for frame_filter in frame_filters:
        frame_filter.filter(frame)
    if common.is_control_opcode(frame.opcode or 0) and len(frame.payload) > 125:
        raise BadOperationException("a control frame has at most 125 bytes")
    header = create_header(
        frame.opcode or 0, len(frame.payload), frame.fin, frame.rsv1, frame.rsv2, frame.rsv3, mask
    )
    if not mask:
        return header + frame.payload
    key = os.urandom(4)
    return header + key + util.RepeatedXorMasker(key).mask(frame.payload)


def create_binary_frame(
    message: bytes,
    opcode: int = common.OPCODE_BINARY,
    fin: int = 1,
    mask: bool = False,
    frame_filters: Iterable[Any] = (),
) -> bytes:
    """A frame of bytes."""
    return _frame_bytes(Frame(fin=fin, opcode=opcode, payload=message), mask, frame_filters)


def create_text_frame(
    message: str,
    opcode: int = common.OPCODE_TEXT,
    fin: int = 1,
    mask: bool = False,
    frame_filters: Iterable[Any] = (),
) -> bytes:
    """A frame of text."""
    return create_binary_frame(message.encode("utf-8"), opcode, fin, mask, frame_filters)


def create_ping_frame(
    body: bytes, mask: bool = False, frame_filters: Iterable[Any] = ()
) -> bytes:
    """A ping."""
    return create_binary_frame(body, common.OPCODE_PING, 1, mask, frame_filters)


def create_pong_frame(
    body: bytes, mask: bool = False, frame_filters: Iterable[Any] = ()
) -> bytes:
    """A pong."""
    return create_binary_frame(body, common.OPCODE_PONG, 1, mask, frame_filters)


def create_close_frame(
    body: bytes, mask: bool = False, frame_filters: Iterable[Any] = ()
) -> bytes:
    """A close frame."""
    return create_binary_frame(body, common.OPCODE_CLOSE, 1, mask, frame_filters)


def create_closing_handshake_body(code: int | None, reason: str) -> bytes:
    """The body of a close frame; empty when the code is `None`."""
    if code is None:
        return b""
    if not common.STATUS_NORMAL_CLOSURE <= code <= common.STATUS_USER_PRIVATE_MAX:
        raise BadOperationException("the status code is out of range")
    if code in (
        common.STATUS_NO_STATUS_RECEIVED,
        common.STATUS_ABNORMAL_CLOSURE,
        common.STATUS_TLS_HANDSHAKE,
    ):
        raise BadOperationException("the status code is one that is never sent")
    return code.to_bytes(2, "big") + reason.encode("utf-8")


def parse_frame(
    receive_bytes: Callable[[int], bytes],
    logger: Any = None,
    ws_version: int = common.VERSION_HYBI_LATEST,
    unmask_receive: bool = True,
) -> tuple[int, bytes, int, int, int, int]:
    """Reads a frame: opcode, payload, FIN, and the reserved bits."""
    first, second = receive_bytes(2)
    if bool(second & 0x80) != unmask_receive:
        raise InvalidFrameException("a frame is masked that must not be, or is not that must be")
    length = second & 0x7F
    if length >= 126:
        length = int.from_bytes(receive_bytes(2 if length == 126 else 8), "big")
        if length >= 1 << 63:
            raise InvalidFrameException("a frame has a length of 2^63 or more")
    key = receive_bytes(4) if unmask_receive else None
    payload = receive_bytes(length) if length else b""
    if key:
        payload = util.RepeatedXorMasker(key).mask(payload)
    return first & 0xF, payload, first >> 7, first >> 6 & 1, first >> 5 & 1, first >> 4 & 1


class FragmentedFrameBuilder:
    """Builds the frames of messages, which may be sent in parts."""

    def __init__(
        self, mask: bool, frame_filters: Iterable[Any] = (), encode_utf8: bool = True
    ) -> None:
        self._mask = mask
        self._frame_filters = frame_filters
        self._encode_utf8 = encode_utf8
        self._opcode: int | None = None

    def build(self, payload_data: Any, end: bool, binary: bool) -> bytes:
        """The frame of the next part of a message."""
        frame_type = common.OPCODE_BINARY if binary else common.OPCODE_TEXT
        if self._opcode not in (None, frame_type):
            raise ValueError("the parts of a message are of different types")
        opcode = frame_type if self._opcode is None else common.OPCODE_CONTINUATION
        self._opcode = None if end else frame_type
        create = create_text_frame if self._encode_utf8 and not binary else create_binary_frame
        return create(payload_data, opcode, int(end), self._mask, self._frame_filters)


class StreamOptions:
    """How a stream works: filters of extensions, and the masks."""

    def __init__(self) -> None:
        self.outgoing_frame_filters: list[Any] = []
        self.incoming_frame_filters: list[Any] = []
        # Messages, not control frames.
        self.outgoing_message_filters: list[Any] = []
        self.incoming_message_filters: list[Any] = []
        self.encode_text_message_to_utf8 = True
        self.mask_send = False
        self.unmask_receive = True
        # The engine's own permessage-deflate.
        self.deflate: Any = None

    def are_plain(self) -> bool:
        """Whether the engine does all the work: there are no filters, and the masks are usual."""
        return (
            not self.outgoing_frame_filters
            and not self.incoming_frame_filters
            and not self.outgoing_message_filters
            and not self.incoming_message_filters
            and self.encode_text_message_to_utf8
            and not self.mask_send
            and self.unmask_receive
        )


class Stream(_wptserve.WebSocketStream):
    """An open WebSocket: messages in and out, and the closing handshake.

    `receive_message` and `send_message` are the engine's. What is rare is here, and what happens
    when there are filters.
    """

    def __init__(self, request: Any, options: StreamOptions) -> None:
        self._logger = util.get_class_logger(self)
        self._options = options
        self._request = request
        request.client_terminated = False
        request.server_terminated = False
        self._builder = FragmentedFrameBuilder(
            options.mask_send, options.outgoing_frame_filters, options.encode_text_message_to_utf8
        )
        self._ping_queue: deque[bytes] = deque()

    def _write(self, data: bytes) -> None:
        self._request.connection.write(data)

    def receive_bytes(self, length: int) -> bytes:
        """So many bytes, as they came. ConnectionTerminatedException when there are fewer."""
        connection = self._request.connection
        data = bytearray()
        while len(data) < length:
            received = connection.read(length - len(data))
            if not received:
                raise ConnectionTerminatedException(
                    f"the client {connection.remote_addr!r} closed the connection"
                )
            data += received
        return bytes(data)

    def _receive_frame(self) -> tuple[int, bytes, int, int, int, int]:
        return parse_frame(self.receive_bytes, unmask_receive=self._options.unmask_receive)

    def _filtered_frame(self) -> Frame:
        """The next frame, as the filters leave it."""
        opcode, payload, fin, rsv1, rsv2, rsv3 = self._receive_frame()
        frame = Frame(fin, rsv1, rsv2, rsv3, opcode, payload)
        for frame_filter in self._options.incoming_frame_filters:
            frame_filter.filter(frame)
        return frame

    def _filtered_message(self, message: bytes) -> bytes:
        for message_filter in self._options.incoming_message_filters:
            message = message_filter.filter(message)
        return message

    def receive_filtered_frame(self) -> Frame:
        """The next frame, which is a whole message; for tests of filters."""
        frame = self._filtered_frame()
        if not frame.fin or frame.opcode not in (common.OPCODE_TEXT, common.OPCODE_BINARY):
            raise InvalidFrameException("a frame that is a whole message is expected")
        frame.payload = self._filtered_message(frame.payload)
        return frame

    def _send_filtered(self, message: Any, end: bool, binary: bool) -> None:
        for message_filter in self._options.outgoing_message_filters:
            message = message_filter.filter(message, end, binary)
        try:
            self._write(self._builder.build(message, end, binary))
        except ValueError as error:
            raise BadOperationException(error) from None

    def _process_close_message(self, code: int | None, reason: str | None) -> None:
        """The client closes: answers, unless that is the answer."""
        request = self._request
        request.client_terminated = True
        request.ws_close_code = common.STATUS_NO_STATUS_RECEIVED if code is None else code
        if code is not None:
            request.ws_close_reason = reason
        if request.server_terminated:
            return
        answer: tuple[int | None, str | None] = common.STATUS_NORMAL_CLOSURE, ""
        if hasattr(request, "_dispatcher"):
            answer = request._dispatcher.passive_closing_handshake(request)
        own_code, own_reason = answer
        if own_code is None and own_reason:
            self._logger.warning("a close without a code has no reason: %r", own_reason)
        # One that does not wait for the answer has closed all the same.
        with contextlib.suppress(OSError):
            self._send_closing_handshake(own_code, own_reason or "")

    def _process_ping_message(self, message: bytes) -> None:
        handler = getattr(self._request, "on_ping_handler", None)
        if handler:
            handler(self._request, message)
        else:
            # What the client said before it left is still to be received.
            with contextlib.suppress(OSError):
                self._send_pong(message)

    def _process_pong_message(self, message: bytes) -> None:
        # A pong also answers the pings before its own.
        if message in self._ping_queue:
            while self._ping_queue.popleft() != message:
                pass
        handler = getattr(self._request, "on_pong_handler", None)
        if handler:
            handler(self._request, message)

    def _control_frame(self, create: Callable[..., bytes], body: bytes) -> bytes:
        return create(body, self._options.mask_send, self._options.outgoing_frame_filters)

    def _send_closing_handshake(self, code: int | None, reason: str) -> None:
        body = create_closing_handshake_body(code, reason)
        frame = self._control_frame(create_close_frame, body)
        self._request.server_terminated = True
        self._write(frame)

    def close_connection(
        self,
        code: int | None = common.STATUS_NORMAL_CLOSURE,
        reason: str = "",
        wait_response: bool = True,
    ) -> None:
        """Closes, and waits for the client's answer, unless the code is one that expects none."""
        if self._request.server_terminated:
            return
        if code is None:
            if reason:
                raise BadOperationException("a close without a code has no reason")
            reason = ""
        elif not isinstance(reason, (bytes, str)):
            raise BadOperationException("the reason is text")
        self._send_closing_handshake(code, reason)
        if not wait_response or code in (common.STATUS_GOING_AWAY, common.STATUS_PROTOCOL_ERROR):
            return
        self._request.connection.expect_answer()
        if self.receive_message() is not None:
            raise ConnectionTerminatedException("the client did not answer the closing handshake")

    def send_ping(self, body: Any, binary: bool = False) -> None:
        """Sends a ping."""
        if not binary and isinstance(body, str):
            body = body.encode("utf-8")
        self._write(self._control_frame(create_ping_frame, body))
        self._ping_queue.append(body)

    def _send_pong(self, body: bytes) -> None:
        self._write(self._control_frame(create_pong_frame, body))
