"""The opening handshake."""

from __future__ import annotations

from typing import Any

from . import h2, hybi
from .base import AbortedByUserException, HandshakeException, VersionException

__all__ = [
    "AbortedByUserException",
    "HandshakeException",
    "VersionException",
    "do_handshake",
    "hybi",
]


def do_handshake(request: Any, dispatcher: Any) -> None:
    """Carries the handshake out, with the handler's part in it."""
    version = h2 if request.protocol == "HTTP/2" else hybi
    version.Handshaker(request, dispatcher).do_handshake()
