"""Tables: file types by extension, response codes, HTTP/2 pseudo-header names."""

from __future__ import annotations

from typing import Any

h2_headers = ["method", "scheme", "host", "path", "authority", "status"]


def _content_types() -> dict[str, str]:
    from . import _wptserve

    return _wptserve.content_types()


def _response_codes() -> dict[int, tuple[str, str]]:
    from http import HTTPStatus

    from . import _wptserve

    descriptions = {status.value: status.description for status in HTTPStatus}
    return {
        code: (phrase, descriptions.get(code, ""))
        for code, phrase in _wptserve.reason_phrases().items()
    }


_TABLES = {"content_types": _content_types, "response_codes": _response_codes}


def __getattr__(name: str) -> Any:
    try:
        build = _TABLES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    table = globals()[name] = build()
    return table
