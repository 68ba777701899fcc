"""What a handler writes to a response: cookies, error texts, multipart content."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Iterable, Iterator

from . import _cookies
from ._wptserve import (
    H2Response,
    H2ResponseWriter,
    Response,
    ResponseHeaders,
    ResponseWriter,
)
from .utils import isomorphic_decode

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from traceback import FrameSummary

__all__ = [
    "H2Response",
    "H2ResponseWriter",
    "MultipartContent",
    "MultipartPart",
    "Response",
    "ResponseHeaders",
    "ResponseWriter",
    "cookie_header",
    "format_server_error",
    "iter_content",
    "unset_cookie",
]


def cookie_header(
    name: bytes | str,
    value: bytes | str | None,
    path: str | None = "/",
    domain: str | None = None,
    max_age: int | timedelta | None = None,
    expires: datetime | timedelta | None = None,
    samesite: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    comment: str | None = None,
) -> str:
    """A Set-Cookie value: the cookie, then its attributes in alphabetical order of their names.

    A timedelta as `expires` counts from now. The value None makes a cookie that deletes one.
    Raises http.cookies.CookieError for a name that no cookie can have.
    """
    if value is None:
        from datetime import timedelta

        value, max_age, expires = b"", 0, timedelta(days=-1)
    attributes: dict[str, Any] = {
        "comment": comment,
        "domain": domain,
        "expires": None if expires is None else _moment(expires),
        "httponly": httponly,
        "max-age": None,
        "path": path,
        "samesite": samesite,
        "secure": secure,
    }
    if max_age is not None:
        seconds = max_age.total_seconds() if hasattr(max_age, "total_seconds") else max_age
        attributes["max-age"] = "%d" % seconds
    given = {
        attribute: setting
        for attribute, setting in attributes.items()
        if setting is not None and setting is not False
    }
    return _cookies.set_cookie(isomorphic_decode(name), isomorphic_decode(value), given)


def _moment(expires: datetime | timedelta) -> str:
    from datetime import datetime, timedelta, timezone

    moment = datetime.now(timezone.utc) + expires if isinstance(expires, timedelta) else expires
    # No weekday, month in lower case: the form that tests have seen from this server.
    month = _MONTHS[moment.month - 1]
    return f"{moment:%d} {month} {moment:%Y %H:%M:%S} GMT"


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def unset_cookie(response: Response, name: bytes | str) -> None:
    """Takes the cookies called `name` out of the response's Set-Cookie fields."""
    unwanted = isomorphic_decode(name)
    fields = [field for field in response.headers if _text(field[0]).lower() == "set-cookie"]
    kept = [field for field in fields if _cookie_name(field[1]) != unwanted]
    if len(kept) == len(fields):
        return
    if not kept:
        del response.headers["Set-Cookie"]
        return
    response.headers.set(*kept[0])
    for field in kept[1:]:
        response.headers.append(*field)


def _cookie_name(cookie: bytes | str) -> str:
    return _text(cookie).partition("=")[0].strip()


def _text(value: Any) -> str:
    return isomorphic_decode(value) if isinstance(value, (bytes, str)) else str(value)


def format_server_error(response: Response, err: BaseException | str | None) -> str:
    """The message of a 5xx answer: the URL and what `err` tells, an exception its traceback.

    With ``logging.suppress_handler_traceback`` an exception is one line that says where it rose.
    """
    if err is None:
        details = "<no traceback>"
    elif isinstance(err, str):
        details = err
    else:
        details = failure_details(err, response.request.server.config)
    return f"Internal server error loading {response.request.url}:\n  {details}"


def failure_details(err: BaseException, config: Any) -> str:
    """What an exception tells under a configuration."""
    if config.logging["suppress_handler_traceback"]:
        return _place_of(err)
    return handler_traceback(err)


def handler_traceback(err: BaseException) -> str:
    # Not by a statement: a handler may have replaced what carries those out.
    traceback = import_module("traceback")
    # Each entry has two lines; the blank line between entries is part of the known form.
    frames = "\n".join(f"  {entry}" for entry in traceback.format_list(_handler_frames(err)))
    last = f"  {type(err).__name__}: {err}\n"
    if isinstance(err, SyntaxError):
        # Its file and line are in no frame, for the code that they are about never ran.
        last = "".join(f"  {line}" for line in traceback.format_exception_only(type(err), err))
    return f"Traceback (most recent call last):\n{frames}{last}"


def _place_of(err: BaseException) -> str:
    frames = _handler_frames(err)
    if isinstance(err, SyntaxError) and err.filename is not None:
        return f'File "{err.filename}", line {err.lineno} (traceback suppressed)'
    if not frames:
        return f"{type(err).__name__} (traceback suppressed)"
    last = frames[-1]
    return f'File "{last.filename}", line {last.lineno} in {last.name} (traceback suppressed)'


def _handler_frames(err: BaseException) -> list[FrameSummary]:
    """The traceback's frames without this package's, unless there are no others."""
    traceback = import_module("traceback")
    every = list(traceback.extract_tb(err.__traceback__))
    frames = [frame for frame, _ in traceback.walk_tb(err.__traceback__)]
    handlers = [entry for entry, frame in zip(every, frames) if not _is_ours(frame)]
    return handlers or every


def _is_ours(frame: Any) -> bool:
    name = frame.f_globals.get("__name__")
    return name == "wptserve" or str(name).startswith(("wptserve.", "_wptserve"))


class MultipartContent:
    """Response content of several parts, such as the ranges of a file.

    Calling it gives the bytes: a line end, each part behind a boundary, the final boundary
    without a line end. As an iterable it yields itself, for it to be called when it is written.
    """

    def __init__(self, boundary: str | None = None, default_content_type: Any = None) -> None:
        if boundary is None:
            from uuid import uuid4

            boundary = str(uuid4())
        self.boundary = boundary
        self.default_content_type = default_content_type
        self.items: list[MultipartPart] = []

    def append_part(
        self,
        data: bytes,
        content_type: Any = None,
        headers: Iterable[tuple[Any, Any]] | None = None,
    ) -> None:
        """Adds a part, of the default content type when it has none."""
        if content_type is None:
            content_type = self.default_content_type
        self.items.append(MultipartPart(data, content_type, headers))

    def __call__(self) -> bytes:
        delimiter = b"--" + self.boundary.encode("ascii")
        lines = [b"", delimiter]
        for item in self.items:
            lines += (item.to_bytes(), delimiter)
        return b"\r\n".join(lines) + b"--"

    def __iter__(self) -> Iterator[MultipartContent]:
        yield self


class MultipartPart:
    """A part: its `headers` and its `data`."""

    def __init__(
        self,
        data: bytes,
        content_type: Any = None,
        headers: Iterable[tuple[Any, Any]] | None = None,
    ) -> None:
        assert isinstance(data, bytes), data
        self.data = data
        self.headers = ResponseHeaders()
        if content_type is not None:
            self.headers.set("Content-Type", content_type)
        for name, value in headers or ():
            # A content type in bytes replaces the parameter's; in text it is sent beside it.
            if name.lower() == b"content-type":
                self.headers.set(name, value)
            else:
                self.headers.append(name, value)

    def to_bytes(self) -> bytes:
        """Header lines, a blank line, the data."""
        fields = [b"%b: %b" % field for field in self.headers]
        return b"\r\n".join([*fields, b"", self.data])


def iter_content(response: Response, read_file: bool = False) -> Iterator[Any]:
    """The parts of a response's content; behind `Response.iter_content`.

    Functions are called, empty parts left out, and a file is read block by block and closed.
    ``read_file`` changes nothing; callers pass it.
    """
    content: Any = response.content
    if isinstance(content, bytes):
        yield content
    elif isinstance(content, str):
        yield content.encode(response.encoding)
    elif hasattr(content, "read"):
        while block := content.read(FILE_BLOCK):
            yield block
        content.close()
    else:
        for item in content:
            part = item() if callable(item) else item
            if part:
                yield part


FILE_BLOCK = 32 * 1024
