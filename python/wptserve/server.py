"""Servers in this process: the engine, started and stopped from Python.

A server's connections are served by the engine on a thread of its own, and its handlers run on
threads of the engine. Files, Python file handlers and error routes are answered without asking
the `Router` each time; it is asked when it is of a class with its own `get_handler`, or once its
`routes` were handed out. A server with a handler class of its own is Python (`_request_handler`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Callable, Iterable
from urllib.parse import urlsplit, urlunsplit
from weakref import WeakSet

from . import _wptserve, handlers
from .config import Config, ConfigBuilder, json_types
from .logger import get_logger
from .router import Router, any_method
from .utils import isomorphic_encode

if TYPE_CHECKING:
    from ._request_handler import (
        BaseWebTestRequestHandler,
        Http1WebTestRequestHandler,
        Http2WebTestRequestHandler,
        PythonEngine,
    )
    from ._request_handler import Http1WebTestRequestHandler as WebTestRequestHandler

__all__ = [
    "BaseWebTestRequestHandler",
    "Http1WebTestRequestHandler",
    "Http2WebTestRequestHandler",
    "RequestRewriter",
    "Router",
    "WebTestHttpd",
    "WebTestRequestHandler",
    "WebTestServer",
]


def __getattr__(name: str) -> Any:
    # Not before they are asked for: they need `http.server`, which the engine does not.
    if name not in __all__ or not name.endswith("RequestHandler"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import _request_handler

    # `Http1WebTestRequestHandler` had no number until 2022.
    own = "Http1WebTestRequestHandler" if name == "WebTestRequestHandler" else name
    return getattr(_request_handler, own)


class RequestRewriter:
    """Replaces the paths of requests before they are routed.

    :param rules: ``(methods, input path, output path)`` each, as for `register`.
    """

    def __init__(self, rules: Iterable[tuple[Any, str, str]]) -> None:
        self._rules: dict[str, tuple[Any, str]] = {}
        self._exposed = False
        self._servers: WeakSet[Any] = WeakSet()
        self.logger = get_logger()
        for rule in reversed(list(rules)):
            self.register(*rule)

    @property
    def rules(self) -> dict[str, tuple[Any, str]]:
        """Methods and output path by input path."""
        if not self._exposed:
            self._exposed = True
            self._changed()
        return self._rules

    @rules.setter
    def rules(self, rules: dict[str, tuple[Any, str]]) -> None:
        self._rules = rules
        self._exposed = True
        self._changed()

    def register(self, methods: Any, input_path: str, output_path: str) -> None:
        """Adds a rule for a method or several, ``*`` being any; the last for a path counts."""
        methods = [methods] if isinstance(methods, (bytes, str)) else methods
        self._rules[input_path] = (methods, output_path)
        self._changed()

    def rewrite(self, request_handler: Any) -> None:
        """Replaces ``request_handler.path`` where a rule matches; the query stays."""
        parts = urlsplit(request_handler.path)
        methods, path = self._rules.get(parts.path, ((), ""))
        if "*" in methods or request_handler.command in methods:
            request_handler.path = urlunsplit(parts._replace(path=path))

    def _listed(self) -> list[tuple[list[str], str, str]] | None:
        """The rules; None when only `rewrite` knows them."""
        if self._exposed or type(self).rewrite is not RequestRewriter.rewrite:
            return None
        if "rewrite" in self.__dict__:
            return None
        return [
            ([name for name in methods if isinstance(name, str)], path, other)
            for path, (methods, other) in self._rules.items()
        ]

    def _changed(self) -> None:
        for server in list(self._servers):
            server.update_routes()


class _Socket:
    """What is asked of the listening socket."""

    def __init__(self, engine: _wptserve.Engine | PythonEngine) -> None:
        self._engine = engine

    def getsockname(self) -> tuple[str, int]:
        return self._engine.addresses[0]

    def fileno(self) -> int:
        return self._engine.fileno()


class WebTestServer:
    """The server behind a `WebTestHttpd`: listens from its making on, and accepts from `start` on.

    The parameters are those of `WebTestHttpd`; of `bind_address` False the server listens on all
    addresses. Further ones are refused.
    """

    _engine: _wptserve.Engine | PythonEngine

    def __init__(
        self,
        server_address: tuple[str, int],
        request_handler_cls: type | None,
        router: Any,
        rewriter: Any,
        bind_address: bool,
        ws_doc_root: str | None = None,
        config: Any = None,
        use_ssl: bool = False,
        key_file: str | None = None,
        certificate: str | None = None,
        encrypt_after_connect: bool = False,
        latency: float | Callable[[], float] | None = None,
        http2: bool = False,
    ) -> None:
        own = _own_handler_class(request_handler_cls)
        self.router = router
        self.rewriter = rewriter
        self.scheme = "http2" if http2 else "https" if use_ssl else "http"
        self.logger = get_logger()
        self.latency = latency
        self.ws_doc_root = ws_doc_root
        self.key_file = key_file
        self.certificate = certificate
        self.encrypt_after_connect = use_ssl and encrypt_after_connect

        host, port = server_address
        address = host if bind_address and host else "0.0.0.0"
        options: dict[str, Any] = {
            "http2": http2,
            "key": key_file if use_ssl else None,
            "certificate": certificate if use_ssl else None,
            "encrypt_after_connect": self.encrypt_after_connect,
        }
        if own is None:
            self._engine = _wptserve.Engine(address, port, **options)
        else:
            from ._request_handler import PythonEngine

            self._engine = PythonEngine(address, port, server=self, handler_class=own, **options)
            self.RequestHandlerClass = own
        self.server_address = self._engine.addresses[0]
        self.server_port = self.server_address[1]
        self.server_name = host
        self.socket = _Socket(self._engine)
        self.config = _default_config(host, self.server_port) if config is None else config

    def fileno(self) -> int:
        """The descriptor of the listening socket."""
        return self._engine.fileno()

    def start(self) -> None:
        """Begins to accept, and returns."""
        fixed = self.latency if isinstance(self.latency, (int, float)) else None
        _running.add(self)
        try:
            self._engine.start(
                os.path.abspath(getattr(self.router, "doc_root", os.curdir)),
                self.ws_doc_root and os.path.abspath(self.ws_doc_root),
                self.config,
                settings_of(self.config),
                *self._routing(),
                fixed,
                self.logger.isEnabledFor(10),
            )
        except BaseException:
            _running.discard(self)
            raise
        for source in (self.router, self.rewriter):
            servers = getattr(source, "_servers", None)
            if isinstance(servers, WeakSet):
                servers.add(self)
        # What was registered meanwhile counts too.
        self.update_routes()

    def update_routes(self) -> None:
        """Makes the engine take the routes and rewrites as they are now."""
        if self in _running:
            self._engine.route(*self._routing())

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Serves until `shutdown` is called from another thread."""
        self.start()
        while self in _running:
            time.sleep(min(poll_interval, 0.05))

    def shutdown(self) -> None:
        """Stops: running responses have a moment to end, and connections are closed. A handler
        that still runs then is left to end on its own."""
        try:
            self._engine.stop()
        finally:
            _running.discard(self)

    def server_close(self) -> None:
        """Closes the listening sockets."""
        self._engine.stop()
        _running.discard(self)

    def _routing(self) -> tuple[list[Any], list[Any], Any]:
        """Routes and rewrites for the engine, and what to ask for a request's path."""
        routes = self.router._listed() if isinstance(self.router, Router) else None
        listed = isinstance(self.rewriter, RequestRewriter)
        rewrites = self.rewriter._listed() if listed else None
        if routes is None or rewrites is None or callable(self.latency):
            # Everything is left to Python.
            return [(None, "*", "call", self._dispatch, None, "/")], [], self._rewrite
        return [_native(*route) for route in routes if _is_method(route[0])], rewrites, None

    def _rewrite(self, path: str, method: str) -> str:
        asked = SimpleNamespace(path=path, command=method, server=self)
        self.rewriter.rewrite(asked)
        return str(asked.path)

    def _dispatch(self, request: Any, response: Any) -> None:
        handler = self.router.get_handler(request)
        if base_path := getattr(handler, "base_path", None):
            request.doc_root = base_path
        if (url_base := getattr(handler, "url_base", "/")) != "/":
            request.url_base = url_base
        if callable(self.latency):
            time.sleep(self.latency() / 1000)
        if handler is None:
            response.set_error(404)
        else:
            handler(request, response)


class WebTestHttpd:
    """A web server for tests, in this process. Also a context manager that starts and stops it.

    :param host: The name or address to listen on.
    :param port: The port; 0 picks a free one.
    :param server_cls: A subclass of `WebTestServer`.
    :param handler_cls: One of this module's handler classes, or one derived from them: then
        `http.server` serves the connections, as slowly as it does, and not the engine.
    :param use_ssl: Whether it speaks TLS, with `key_file` and `certificate` (PEM).
    :param encrypt_after_connect: Whether TLS begins only after a CONNECT request.
    :param router_cls: A class with `Router`'s constructor and `get_handler`.
    :param doc_root: The directory that is served.
    :param ws_doc_root: The directory of WebSocket handlers; with `http2` they answer extended CONNECT.
    :param routes: (methods, pattern, handler) triples; by default `wptserve.routes.routes`.
    :param rewriter_cls: A class with `RequestRewriter`'s constructor and `rewrite`.
    :param bind_address: False to listen on all addresses.
    :param rewrites: (methods, path, path instead) triples.
    :param latency: Milliseconds that each response is held back, or a function that tells them.
    :param config: What handlers read as ``request.server.config``.
    :param http2: Whether it speaks HTTP/2; with `use_ssl` only.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8000,
        server_cls: Any = None,
        handler_cls: type | None = None,
        use_ssl: bool = False,
        key_file: str | None = None,
        certificate: str | None = None,
        encrypt_after_connect: bool = False,
        router_cls: Any = Router,
        doc_root: str = os.curdir,
        ws_doc_root: str | None = None,
        routes: Iterable[tuple[Any, str, Any]] | None = None,
        rewriter_cls: Any = RequestRewriter,
        bind_address: bool = True,
        rewrites: Iterable[tuple[Any, str, str]] | None = None,
        latency: float | Callable[[], float] | None = None,
        config: Any = None,
        http2: bool = False,
    ) -> None:
        if routes is None:
            from .routes import routes as default_routes

            routes = default_routes
        self.host = host
        self.router = router_cls(doc_root, routes)
        self.rewriter = rewriter_cls([] if rewrites is None else rewrites)
        self.use_ssl = use_ssl
        self.http2 = http2
        self.logger = get_logger()
        self.started = False
        if use_ssl:
            for what, path in (("key", key_file), ("certificate", certificate)):
                if path is None or not os.path.exists(path):
                    raise ValueError(f"the {what} {path} for TLS does not exist")
        if server_cls is None:
            server_cls = WebTestServer
        try:
            self.httpd: Any = server_cls(
                (host, port),
                handler_cls,
                self.router,
                self.rewriter,
                config=config,
                bind_address=bind_address,
                ws_doc_root=ws_doc_root,
                use_ssl=use_ssl,
                key_file=key_file,
                certificate=certificate,
                encrypt_after_connect=encrypt_after_connect,
                latency=latency,
                http2=http2,
            )
            self.port: int = self.httpd.socket.getsockname()[1]
        except Exception as error:
            self.logger.critical(f"the server on port {port} of {host} cannot be made: {error}")
            raise

    def start(self) -> None:
        """Begins to accept, and returns."""
        self.logger.info(f"Starting the server at {self._origin()}")
        self.httpd.start()
        self.started = True

    def stop(self) -> None:
        """Stops the server if it runs; it cannot be started again."""
        if self.started:
            self.httpd.shutdown()
            self.logger.info(f"Stopped the server at {self._origin()}")
            self.started = False
        if self.httpd is not None:
            self.httpd.server_close()
        self.httpd = None

    def get_url(
        self, path: str = "/", query: str | None = None, fragment: str | None = None
    ) -> str | None:
        """An absolute URL of this server; None unless it runs."""
        if not self.started:
            return None
        url: str = urlunsplit((*self._parts(), path, query or "", fragment or ""))
        return url

    def __enter__(self) -> WebTestHttpd:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def _parts(self) -> tuple[str, str]:
        return "https" if self.use_ssl else "http", f"{self.host}:{self.port}"

    def _origin(self) -> str:
        return "://".join(self._parts())


def _own_handler_class(cls: type | None) -> type | None:
    """A handler class with methods that the engine would not call."""
    if cls is None:
        return None
    from ._request_handler import OWN

    return None if cls in OWN else cls


def _is_method(method: Any) -> bool:
    """Whether requests can have the method of a route."""
    return method is any_method or isinstance(method, str)


def _native(method: Any, pattern: str, handler: Any) -> tuple[Any, ...]:
    """A route as the engine takes it: with the kind of a handler that the engine has too."""
    name = None if method is any_method or method == "*" else method
    kind = _KINDS.get(type(handler), "call")
    base_path, url_base = None, "/"
    if kind == "error":
        # The body of a 5xx is a matter of Python.
        if not (isinstance(handler.status, int) and 400 <= handler.status < 500):
            kind = "call"
    elif kind == "string":
        content = _content(handler)
        if content is not None:
            return name, pattern, kind, content, None, "/"
        kind = "call"
    elif kind != "call":
        base_path, url_base = handler.base_path or None, handler.url_base
        if not set(vars(handler)) <= {"base_path", "url_base", "directory_handler"}:
            kind = "call"
        directory_handler = getattr(handler, "directory_handler", None)
        if kind == "file" and type(directory_handler) is not handlers.DirectoryHandler:
            kind = "call"
    if kind == "call":
        return name, pattern, kind, handler, None, "/"
    return name, pattern, kind, handler, base_path and os.path.abspath(base_path), url_base


_KINDS = {
    handlers.FileHandler: "file",
    handlers.AsIsHandler: "asis",
    handlers.PythonScriptHandler: "python",
    handlers.ErrorHandler: "error",
    handlers.StringHandler: "string",
    handlers.StaticHandler: "string",
}


def _content(handler: Any) -> tuple[bytes, list[tuple[bytes, bytes]]] | None:
    """Content and header fields of a handler that has no others; None when that cannot be told
    beforehand."""
    try:
        handler = handler.string_handler() if hasattr(handler, "string_handler") else handler
        if not set(vars(handler)) <= {"data", "resp_headers"}:
            return None
        data = handler.data
        fields = [(_field(name), _field(value)) for name, value in handler.resp_headers]
        return data if isinstance(data, bytes) else data.encode("utf-8"), fields
    except Exception:
        # Who asks for it is told.
        return None


def _field(value: Any) -> bytes:
    return isomorphic_encode(str(value) if isinstance(value, int) else value)


def _default_config(host: str, port: int) -> Any:
    with ConfigBuilder(get_logger(), browser_host=host, ports={"http": [port]}) as config:
        return config


def settings_of(config: Any) -> str:
    """A configuration as JSON, for templates; what JSON cannot say is left out."""
    from json import dumps

    if not isinstance(config, Mapping):
        return "{}"
    items = config.as_dict() if isinstance(config, Config) else dict(config)
    settings = {}
    for key, value in items.items():
        try:
            settings[str(key)] = json_types(value)
        except ValueError:
            continue
    return dumps(settings)


# The servers that accept. They are kept until they are stopped, as a thread would keep them.
_running: set[WebTestServer] = set()


def _stop_all() -> None:
    """Before Python ends: its end is no place for threads of ours."""
    for server in list(_running):
        server.shutdown()


def _abandon_all() -> None:
    """In a forked child, to which the servers do not belong."""
    for server in list(_running):
        server._engine.abandon()
    _running.clear()


def _register_exits() -> None:
    import atexit

    atexit.register(_stop_all)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_abandon_all)


def _warn_of_neighbour() -> None:
    from . import _neighbour

    if text := _neighbour.notice():
        import warnings

        warnings.warn(text, RuntimeWarning, stacklevel=3)


_register_exits()
_warn_of_neighbour()
