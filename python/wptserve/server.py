"""The server as a Python library; it cannot be started from Python yet."""

from __future__ import annotations

from typing import Any, Iterable
from urllib.parse import urlsplit, urlunsplit


class WebTestHttpd:
    """A server in this process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "wptserve.server.WebTestHttpd cannot be started from Python yet; "
            "run the wptserve command instead"
        )


class RequestRewriter:
    """Replaces the paths of requests before they are routed.

    :param rules: ``(methods, input path, output path)`` each, as for `register`.
    """

    def __init__(self, rules: Iterable[tuple[Any, str, str]]) -> None:
        self.rules: dict[str, tuple[Any, str]] = {}
        for rule in reversed(list(rules)):
            self.register(*rule)

    def register(self, methods: Any, input_path: str, output_path: str) -> None:
        """Adds a rule for a method or several, ``*`` being any; the last for a path counts."""
        methods = [methods] if isinstance(methods, (bytes, str)) else methods
        self.rules[input_path] = (methods, output_path)

    def rewrite(self, request_handler: Any) -> None:
        """Replaces ``request_handler.path`` where a rule matches; the query stays."""
        parts = urlsplit(request_handler.path)
        methods, path = self.rules.get(parts.path, ((), ""))
        if "*" in methods or request_handler.command in methods:
            request_handler.path = urlunsplit(parts._replace(path=path))


def __getattr__(name: str) -> Any:
    if name == "Router":
        from .router import Router

        return Router
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise NotImplementedError(f"wptserve.server.{name} is not built yet")
