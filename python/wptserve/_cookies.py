"""Cookies that are nothing but a name and a value, as nearly all are. `http.cookies` reads and writes
all kinds, and takes ten times as long; what is said here of plain ones is the same as there."""

from __future__ import annotations

import string
from typing import Any

_NAME = string.ascii_letters + string.digits + "_-"
_VALUE = _NAME + "!#%&'~`><@:/$*+.^|)(?}{="
# These are attributes of the cookie before them.
_RESERVED = frozenset(
    "expires path comment domain max-age secure httponly version samesite partitioned".split()
)


def plain_cookies(field: str) -> list[tuple[str, str]] | None:
    """The names and values of a Cookie field; None where one is not plain."""
    cookies = []
    for cookie in field.split(";"):
        name, equals, value = cookie.lstrip(" ").partition("=")
        if not equals or not _is_plain_name(name) or value.strip(_VALUE):
            return None
        cookies.append((name, value))
    return cookies


def set_cookie(name: str, value: str, attributes: dict[str, Any]) -> str:
    """A Set-Cookie value, the attributes in alphabetical order, as they have to come."""
    if _is_plain_name(name) and _is_plain_text(value):
        parts = [f"{name}={value}"]
        for attribute, setting in attributes.items():
            if attribute in _FLAGS:
                written = _FLAGS[attribute]
            elif attribute in _SETTINGS and _is_plain_text(setting):
                written = f"{_SETTINGS[attribute]}={setting}"
            else:
                break
            if setting:
                parts.append(written)
        else:
            return "; ".join(parts)

    # Not worth loading for plain ones.
    from http.cookies import Morsel

    morsel: Morsel[str] = Morsel()
    morsel.set(name, value, value)
    for attribute, setting in attributes.items():
        morsel[attribute] = setting
    return morsel.OutputString()


_FLAGS = {"httponly": "HttpOnly", "secure": "Secure"}
_SETTINGS = {
    "domain": "Domain",
    "expires": "expires",
    "max-age": "Max-Age",
    "path": "Path",
    "samesite": "SameSite",
}


def _is_plain_name(name: str) -> bool:
    # Nothing is left without the characters that may stand in it.
    return name != "" and not name.strip(_NAME) and name.lower() not in _RESERVED


def _is_plain_text(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and text.isprintable()
