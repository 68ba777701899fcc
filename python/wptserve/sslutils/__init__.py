"""Where a server's key and certificate come from, by the configuration's ``ssl.type``."""

from __future__ import annotations

from typing import Any

from .base import NoSSLEnvironment
from .openssl import OpenSSLEnvironment
from .pregenerated import PregeneratedSSLEnvironment

__all__ = [
    "NoSSLEnvironment",
    "OpenSSLEnvironment",
    "PregeneratedSSLEnvironment",
    "environments",
    "get_cls",
]

environments: dict[str, Any] = {
    "none": NoSSLEnvironment,
    "openssl": OpenSSLEnvironment,
    "pregenerated": PregeneratedSSLEnvironment,
}


def get_cls(name: str) -> Any:
    """The class of a type; ValueError when there is none of that name."""
    if name not in environments:
        raise ValueError(f"ssl type {name}: not one of {', '.join(environments)}")
    return environments[name]
