"""The server as a Python library; it cannot be started from Python yet."""

from __future__ import annotations

from typing import Any


class WebTestHttpd:
    """A server in this process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "wptserve.server.WebTestHttpd cannot be started from Python yet; "
            "run the wptserve command instead"
        )


def __getattr__(name: str) -> Any:
    if name == "Router":
        from .router import Router

        return Router
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise NotImplementedError(f"wptserve.server.{name} is not built yet")
