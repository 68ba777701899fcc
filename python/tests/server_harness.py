"""What the tests of servers in a program share. They run against ours and the reference."""

from __future__ import annotations

import http.client
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Iterator

import wptserve.handlers
import wptserve.server

OURS = hasattr(wptserve, "_EXPORTS")


@dataclass
class Reply:
    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes


def ask(server: Any, path: str, method: str = "GET", body: Any = None, **headers: str) -> Reply:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=fields)
        response = connection.getresponse()
        return Reply(response.status, response.reason, response.headers, response.read())
    finally:
        connection.close()


@contextmanager
def serving(doc_root: Any, **options: Any) -> Iterator[Any]:
    """A running server on a free port."""
    server = wptserve.server.WebTestHttpd(
        host="127.0.0.1", port=0, doc_root=str(doc_root), **options
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()


def route(server: Any, path: str, function: Any, method: str = "GET") -> None:
    """Registers a function whose return value is the response."""
    server.router.register(method, path, wptserve.handlers.handler(function))


def threads() -> int:
    """The threads of this process, Python's and others."""
    return len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else (
        threading.active_count()
    )


def descriptors() -> int:
    """The open descriptors of this process."""
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
