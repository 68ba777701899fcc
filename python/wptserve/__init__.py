"""The web-platform-tests server: Rust engine, Python handlers.

The names that ``from wptserve import …`` has always offered are resolved on first use, so that
importing the package costs next to nothing.
"""

from __future__ import annotations

from typing import Any

_EXPORTS = {
    "Request": "request",
    "Response": "response",
    "Router": "router",
    "WebTestHttpd": "server",
    "WebTestServer": "server",
}

_MODULES = frozenset(
    (
        "_wptserve",
        "cgi",
        "config",
        "constants",
        "forms",
        "handlers",
        "logger",
        "pipes",
        "pywebsocket",
        "ranges",
        "request",
        "response",
        "router",
        "routes",
        "server",
        "sslutils",
        "stash",
        "testing",
        "types",
        "utils",
    )
)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        try:
            from ._wptserve import __version__
        except ImportError:
            return "0+unknown"
        return __version__
    module = _EXPORTS.get(name, name if name in _MODULES else None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = import_module(f"{__name__}.{module}")
    return getattr(found, name) if name in _EXPORTS else found


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS, *_MODULES, "__version__"})
