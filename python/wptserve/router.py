"""Routes: which handler answers which method and path."""

from __future__ import annotations

import re
import sys
from typing import Any, Callable, Iterable
from weakref import WeakSet

from .logger import get_logger

any_method = object()

Token = tuple[str, "str | None"]


class RouteTokenizer:
    """Splits a pattern into slashes, ``{groups}``, stars and literal text."""

    _TOKEN = re.compile(
        r"(?P<slash>/)|\{(?P<group>\w*)\}|(?P<star>\*)|(?P<literal>(?:\\.|[^{*/])+)"
    )

    def scan(self, input_str: str) -> tuple[list[Token], str]:
        """The tokens, and what is left from the first character that starts none."""
        tokens: list[Token] = []
        position = 0
        while found := self._TOKEN.match(input_str, position):
            kind = found.lastgroup
            assert kind is not None  # every alternative of the expression is named
            tokens.append((kind, found[kind] if kind in ("group", "literal") else None))
            position = found.end()
        return tokens, input_str[position:]


class RouteCompiler:
    """Turns tokens into a regular expression for whole paths."""

    def compile(self, tokens: Iterable[Token]) -> re.Pattern[str]:
        """Raises ValueError for a second star and for a group behind a star."""
        tokens = list(tokens)
        if not tokens or tokens[0][0] != "slash":
            tokens.insert(0, ("slash", None))
        parts = []
        star_seen = False
        for kind, text in tokens:
            if star_seen and kind in ("group", "star"):
                raise ValueError(f"{kind.capitalize()} seen after star in route pattern")
            if kind == "slash":
                parts.append("/")
            elif kind == "literal":
                parts.append(re.escape(text or ""))
            elif kind == "group":
                parts.append(f"(?P<{text}>[^/]+)")
            else:
                # The star's group runs to the end of the path, over any literal behind it.
                star_seen = True
                parts.append("(.*")
        return re.compile(f"^{''.join(parts)}{')' if star_seen else ''}$")


def compile_path_match(route_pattern: str) -> re.Pattern[str]:
    """The expression for a route pattern such as ``api/{name}/*.json``."""
    tokens, rest = RouteTokenizer().scan(route_pattern)
    assert rest == "", f"{route_pattern!r} cannot be read from {rest!r} on"
    return RouteCompiler().compile(tokens)


class Router:
    """An ordered list of routes over a document root, the one registered last asked first.

    :param routes: (methods, pattern, handler) triples, the first one asked first.
    """

    def __init__(self, doc_root: str, routes: Iterable[tuple[Any, str, Any]]) -> None:
        self.doc_root = doc_root
        self._routes: list[tuple[Any, re.Pattern[str], Any]] = []
        # The patterns as they were given, beside the routes; None once others may change these.
        self._patterns: list[str] | None = []
        # Told of every change.
        self._servers: WeakSet[Any] = WeakSet()
        self.logger = get_logger()
        # Handlers import helper modules by their path from the document root.
        if doc_root not in sys.path:
            sys.path.insert(0, doc_root)
        for route in reversed(list(routes)):
            self.register(*route)

    @property
    def routes(self) -> list[tuple[Any, re.Pattern[str], Any]]:
        """Method, expression and handler of each route, the last one asked first."""
        if self._patterns is not None:
            self._patterns = None
            self._changed()
        return self._routes

    @routes.setter
    def routes(self, routes: list[tuple[Any, re.Pattern[str], Any]]) -> None:
        self._routes = routes
        self._patterns = None
        self._changed()

    def register(self, methods: Any, path: str, handler: Callable[[Any, Any], Any]) -> None:
        """Puts a route before all others; also while a server runs.

        :param methods: A method, several, or "*" or `any_method` for all; GET answers HEAD too.
        :param path: A pattern of literal text, ``{name}`` (one path segment or part of one) and
            at most one ``*``; what they match becomes ``request.route_match``, under the names
            and, from the star to the end, under "*". A leading slash may be left out.
        """
        if isinstance(methods, (str, bytes)) or methods is any_method:
            methods = [methods]
        expression = compile_path_match(path)
        for method in methods:
            self._routes.append((method, expression, handler))
            if self._patterns is not None:
                self._patterns.append(path)
        self._changed()

    def get_handler(self, request: Any) -> Any:
        """The handler for `request`, whose `route_match` is set; None when no route matches."""
        from urllib.parse import unquote

        path = unquote(request.url_parts.path)
        for method, expression, handler in reversed(self._routes):
            if not _accepts(method, request.method):
                continue
            found = expression.match(path)
            if found:
                parts = found.groupdict()
                if len(parts) < len(found.groups()):
                    parts["*"] = found.groups()[-1]
                request.route_match = parts
                return handler
        return None

    def _listed(self) -> list[tuple[Any, str, Any]] | None:
        """Methods, patterns and handlers, the first one asked first; None when only
        `get_handler` knows them."""
        if self._patterns is None or type(self).get_handler is not Router.get_handler:
            return None
        if "get_handler" in self.__dict__:
            return None
        routes = zip(self._routes, self._patterns, strict=True)
        listed = [(method, pattern, handler) for (method, _, handler), pattern in routes]
        return listed[::-1]

    def _changed(self) -> None:
        for server in list(self._servers):
            server.update_routes()


def _accepts(route_method: Any, method: str) -> bool:
    return (
        route_method is any_method
        or route_method in ("*", method)
        or (route_method == "GET" and method == "HEAD")
    )
