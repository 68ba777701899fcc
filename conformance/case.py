"""What a case is, and short ways to write the usual ones."""

import base64
import dataclasses
import time

import pytest

from wire import PATIENCE, QUIET, Step, request_method

HOST = b"web-platform.test:8000"


@dataclasses.dataclass(frozen=True)
class Case:
    """One exchange that both servers must carry out alike.

    `@PORT@` in the bytes to send becomes the port of the server asked.
    `mask` lists patterns whose digits are not compared (times that pass).
    """

    id: str
    steps: tuple[Step, ...]
    methods: tuple[bytes, ...]
    mask: tuple[bytes, ...] = ()
    quiet: float = QUIET
    probe: bool = True
    half_close: bool = False
    patience: float = PATIENCE


def request(
    target: str | bytes,
    method: str = "GET",
    headers: list[tuple[str, str | bytes]] | None = None,
    body: bytes | None = None,
    version: str = "HTTP/1.1",
    host: bytes | None = HOST,
) -> bytes:
    """The bytes of a request; a body brings its Content-Length along."""
    target = target.encode("latin-1") if isinstance(target, str) else target
    lines = [method.encode() + b" " + target + b" " + version.encode()]
    if host is not None:
        lines.append(b"Host: " + host)
    for name, value in headers or []:
        value = value.encode("latin-1") if isinstance(value, str) else value
        lines.append(name.encode("latin-1") + b": " + value)
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def get(id: str, target: str | bytes, *headers: tuple[str, str | bytes], **options) -> Case:
    """A single GET."""
    return send(id, request(target, headers=list(headers)), **options)


def post(
    id: str,
    target: str,
    body: bytes,
    content_type: str | None = "application/x-www-form-urlencoded",
    **options,
) -> Case:
    """A single POST of `body`."""
    headers = [] if content_type is None else [("Content-Type", content_type)]
    return send(id, request(target, "POST", headers, body), **options)


def send(id: str, *requests: bytes, **options) -> Case:
    """Requests in turn on one connection, each after the response to the one before."""
    methods = tuple(request_method(data) for data in requests)
    return Case(id, tuple(Step(data) for data in requests), methods, **options)


def pipeline(id: str, *requests: bytes, **options) -> Case:
    """Requests sent in one piece on one connection."""
    methods = tuple(request_method(data) for data in requests)
    return Case(id, (Step(b"".join(requests), len(requests)),), methods, **options)


def steps(id: str, methods: list[bytes], *parts: tuple[bytes, int], **options) -> Case:
    """Pieces of bytes, each with the number of responses to await after it."""
    return Case(id, tuple(Step(*part) for part in parts), tuple(methods), **options)


def basic(username: str, password: str) -> tuple[str, str]:
    """An Authorization field for HTTP Basic."""
    credentials = f"{username}:{password}".encode("latin-1")
    return "Authorization", "Basic " + base64.b64encode(credentials).decode()


def multipart(*parts: tuple[bytes, bytes], boundary: bytes = b"BOUNDARY") -> tuple[bytes, str]:
    """A multipart/form-data body of (header lines, content), and its content type."""
    body = b"".join(
        b"--" + boundary + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    body += b"--" + boundary + b"--\r\n"
    return body, "multipart/form-data; boundary=" + boundary.decode()


def parametrize(cases: list[Case]) -> pytest.MarkDecorator:
    """The decorator that runs a test once per case."""
    ids = [case.id for case in cases]
    repeated = {id for id in ids if ids.count(id) > 1}
    if repeated:
        raise ValueError(f"case ids used twice: {sorted(repeated)}")
    return pytest.mark.parametrize("case", cases, ids=ids)


def until(condition, seconds: float = 5.0):
    """The first true result of `condition`, or its last result when time is up."""
    deadline = time.monotonic() + seconds
    while not (result := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return result
