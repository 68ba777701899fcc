"""Small helpers that handlers know."""

from __future__ import annotations

import logging

from .. import _wptserve


def prepend_message_to_exception(message: str, exc: BaseException) -> None:
    """Puts a message in front of an exception's own."""
    exc.args = (f"{message}{exc}",)


def hexify(s: bytes) -> str:
    """The bytes in hexadecimal, with spaces between them."""
    return s.hex(" ")


def get_class_logger(o: object) -> logging.Logger:
    """The logger named after the object's class."""
    return logging.getLogger(f"{type(o).__module__}.{type(o).__name__}")


def pack_byte(b: int) -> bytes:
    """The byte of a number."""
    return bytes((b,))


class NoopMasker:
    """Masks nothing."""

    def mask(self, s: bytes) -> bytes:
        """The same bytes."""
        return s


class RepeatedXorMasker:
    """Masks a stream of bytes with a key of four, over and over."""

    def __init__(self, masking_key: bytes) -> None:
        self._masking_key = bytes(masking_key)

    def mask(self, s: bytes) -> bytes:
        """The next bytes, masked; it goes on in the key where the last call ended."""
        masked = _wptserve.websocket_mask(s, self._masking_key)
        turn = len(s) % 4
        self._masking_key = self._masking_key[turn:] + self._masking_key[:turn]
        return masked
