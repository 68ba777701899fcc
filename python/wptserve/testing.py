"""A server for tests: the function `serve`, and a pytest fixture.

In a ``conftest.py``::

    pytest_plugins = ["wptserve.testing"]

and in a test::

    def test_it(wptserve_server):
        @wptserve_server.route("GET", "/hello")
        def hello(request, response):
            return b"hello"

        assert urlopen(wptserve_server.get_url("/hello")).read() == b"hello"
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Iterator

from .handlers import handler
from .server import WebTestHttpd

__all__ = ["TestServer", "serve", "wptserve_server"]


class TestServer(WebTestHttpd):
    """A `WebTestHttpd` that listens on a free port of 127.0.0.1 unless it is told otherwise."""

    # Not a class of tests.
    __test__ = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"host": "127.0.0.1", "port": 0, **options})

    def route(self, methods: Any, path: str) -> Callable[[Any], Any]:
        """Decorator: registers a function whose return value is the response."""

        def register(function: Any) -> Any:
            self.router.register(methods, path, handler(function))
            return function

        return register


@contextmanager
def serve(doc_root: str | None = None, **options: Any) -> Iterator[TestServer]:
    """A running server, stopped at the end of the ``with`` block; `options` are `WebTestHttpd`'s.

    Without a document root it has no routes but those that are registered.
    """
    if doc_root is not None:
        options["doc_root"] = str(doc_root)
    else:
        options.setdefault("routes", [])
    with TestServer(**options) as server:
        assert isinstance(server, TestServer)
        yield server


try:
    import pytest
except ImportError:
    pass
else:

    @pytest.fixture
    def wptserve_server(request: Any) -> Iterator[TestServer]:
        """A running `TestServer`; ``@pytest.mark.parametrize(..., indirect=True)`` with a dict
        gives it options."""
        with serve(**getattr(request, "param", {})) as server:
            yield server
