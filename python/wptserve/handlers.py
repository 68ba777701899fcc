"""Handlers: callables that take a request and a response."""

from __future__ import annotations

import errno
import os
from typing import Any, Callable, Iterable

from . import _wptserve
from ._regular_file import open_regular
from ._wptserve import Request, Response, guess_content_type
from .ranges import Range, RangeParser
from .request import Authentication
from .utils import HTTPException

__all__ = [
    "AsIsHandler",
    "BasicAuthHandler",
    "DirectoryHandler",
    "ErrorHandler",
    "FileHandler",
    "FunctionHandler",
    "HTTPException",
    "JsonHandler",
    "PythonScriptHandler",
    "StaticHandler",
    "StringHandler",
    "as_is_handler",
    "basic_auth_handler",
    "file_handler",
    "filesystem_path",
    "guess_content_type",
    "handler",
    "json_handler",
    "load_headers",
    "parse_qs",
    "python_script_handler",
    "wrap_pipeline",
]

Handler = Callable[[Request, Response], Any]
Text = bytes | str


class FunctionHandler(_wptserve.FunctionHandler):
    """Calls `func`, makes its return value the response, and applies the query's pipes."""

    def __call__(self, request: Request, response: Response) -> None:
        super().__call__(request, response)
        # Those of a Python file are applied by the handler of the file.
        if "pipe=" in request.url_parts.query and not request.url_parts.path.endswith(".py"):
            wrap_pipeline("", request, response)


def handler(func: Handler) -> FunctionHandler:
    """Decorator: a function whose return value becomes the response."""
    return FunctionHandler(func)


def json_handler(func: Handler) -> JsonHandler:
    """Decorator: a function whose return value becomes the response as JSON."""
    return JsonHandler(func)


class JsonHandler:
    """Calls `func` and sends what it returns, or the last item of a returned tuple, as JSON."""

    def __init__(self, func: Handler) -> None:
        self.func = func

    def __call__(self, request: Request, response: Response) -> Any:
        return FunctionHandler(self.handle_request)(request, response)

    def handle_request(self, request: Request, response: Response) -> Any:
        """`func`'s return value with the content encoded; sets its type and length."""
        from json import dumps

        result = self.func(request, response)
        response.headers.set("Content-Type", "application/json")
        *others, value = result if isinstance(result, tuple) else (result,)
        content = dumps(value)
        response.headers.set("Content-Length", len(content))
        return (*others, content) if isinstance(result, tuple) else content


def filesystem_path(base_path: str | None, request: Request, url_base: str = "/") -> str:
    """The file under `base_path` (default: the document root) that the request's path names.

    Raises HTTPException 404 for a path that has ".." anywhere or leads out of `base_path`.
    """
    from urllib.parse import unquote

    root = request.doc_root if base_path is None else base_path
    relative = unquote(request.url_parts.path).removeprefix(url_base)
    path = os.path.join(root, relative)
    # join() drops the root when what follows is absolute.
    if ".." in relative or not path.startswith(root):
        raise HTTPException(404)
    return path


def parse_qs(qs: str) -> dict[str, list[str]]:
    """Query parameters by name, UTF-8 decoded; those without a value are left out."""
    from urllib.parse import unquote

    parameters: dict[str, list[str]] = {}
    for item in qs.split("&"):
        name, _, value = item.replace("+", " ").partition("=")
        if value:
            parameters.setdefault(unquote(name), []).append(unquote(value))
    return parameters


def wrap_pipeline(path: str, request: Request, response: Response) -> Response:
    """Applies the pipes that `path` (``.sub.``) and the query (``pipe=``) ask for."""
    pipes = _wptserve.pipe_string(path, request.url_parts.query)
    if pipes is None:
        return response
    from .pipes import Pipeline

    wrapped: Response = Pipeline(pipes)(request, response)
    return wrapped


def load_headers(request: Request, path: str) -> list[tuple[bytes, bytes]]:
    """The header fields for the file `path`: its directory's ``__dir__.headers``, then its own.

    ``.sub.headers`` files are templates. A malformed line is a ValueError.
    """
    return _wptserve.load_headers(request, path)


class _PathHandler:
    """A handler for the files under a directory, `url_base` being the URL of that directory."""

    def __init__(self, base_path: str | None = None, url_base: str = "/") -> None:
        self.base_path = base_path
        self.url_base = url_base

    def __repr__(self) -> str:
        return f"<{type(self).__name__} base_path:{self.base_path} url_base:{self.url_base}>"

    def _path(self, request: Request) -> str:
        return filesystem_path(self.base_path, request, self.url_base)


class DirectoryHandler(_PathHandler):
    """Lists a directory, or redirects to its URL with a slash."""

    def __call__(self, request: Request, response: Response) -> None:
        url_path = request.url_parts.path
        if not url_path.endswith("/"):
            response.status = 301
            response.headers = [("Location", _with_slash(request.url))]
            return
        path = self._path(request)
        assert os.path.isdir(path), path
        response.headers = [("Content-Type", "text/html")]
        response.content = _wptserve.directory_listing(url_path, path)


def _unopened(error: OSError) -> HTTPException:
    """What the client is told of a file that cannot be opened: that it is not there, unless the
    system is short of something and may have it in a moment."""
    if error.errno in _SHORT_OF:
        return HTTPException(503, f"the file cannot be opened just now: {error.strerror}")
    return HTTPException(404)


_SHORT_OF = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.EAGAIN))


def _with_slash(url: str) -> str:
    query = min((at for at in (url.find("?"), url.find("#")) if at >= 0), default=len(url))
    return f"{url[:query]}/{url[query:]}"


class FileHandler(_PathHandler):
    """Sends a file, ranges of it, or for a directory what `directory_handler` makes of it."""

    def __init__(self, base_path: str | None = None, url_base: str = "/") -> None:
        super().__init__(base_path, url_base)
        self.directory_handler = DirectoryHandler(base_path, url_base)

    def __call__(self, request: Request, response: Response) -> Response | None:
        path = self._path(request)
        if os.path.isdir(path):
            self.directory_handler(request, response)
            return None
        try:
            return self._send(path, request, response)
        except OSError as error:
            raise _unopened(error) from None

    def _send(self, path: str, request: Request, response: Response) -> Response:
        size = os.stat(path).st_size
        response.headers.update(self.get_headers(request, path))
        ranges = None
        if "Range" in request.headers:
            try:
                ranges = RangeParser()(request.headers["Range"], size)
            except HTTPException as error:
                if error.code != 416:
                    raise HTTPException(500) from error
                response.set_error(416, error)
                response.headers = [*response.headers, ("Content-Range", f"bytes */{size}")]
                return response
        content = self.get_data(response, path, ranges)
        response.content = content
        wrap_pipeline(path, request, response)
        # The length of a file that is still the content is known here and nowhere later.
        if response.content is content and ranges is None and (
            "Content-Length" not in response.headers
        ):
            response.headers.set("Content-Length", size)
        return response

    def get_headers(self, request: Request, path: str) -> list[tuple[bytes, bytes]]:
        """The fields of the file's ``.headers``, after a content type if they have none."""
        fields = [(name, value) for name, value in load_headers(request, path)]
        if not any(name.lower() == b"content-type" for name, _ in fields):
            fields.insert(0, (b"Content-Type", guess_content_type(path).encode("ascii")))
        return fields

    def get_data(self, response: Response, path: str, byte_ranges: list[Range] | None) -> Any:
        """The open file, or with ranges the 206's content: bytes, or for several a multipart."""
        if byte_ranges is None:
            return open_regular(path)
        response.status = 206
        with open_regular(path) as file:
            if len(byte_ranges) == 1:
                response.headers.set("Content-Range", byte_ranges[0].header_value())
                return self.get_range_data(file, byte_ranges[0])
            from .response import MultipartContent

            part_type = (response.headers.get("Content-Type") or [None])[-1]
            content = MultipartContent()
            response.headers.set(
                "Content-Type", f"multipart/byteranges; boundary={content.boundary}"
            )
            for item in byte_ranges:
                fields = [("Content-Range", item.header_value())]
                content.append_part(self.get_range_data(file, item), part_type, fields)
            return content

    def get_range_data(self, file: Any, byte_range: Range) -> bytes:
        """The bytes of one range."""
        file.seek(byte_range.lower)
        data: bytes = file.read(byte_range.upper - byte_range.lower)
        return data


class PythonScriptHandler(_PathHandler):
    """Runs a Python file, or a directory's first ``default*.py``, and calls its ``main``."""

    def __call__(self, request: Request, response: Response) -> None:
        path, namespace = self._load(request)
        if "main" not in namespace:
            raise HTTPException(500, f"No main function in script {path}")
        _wptserve.FunctionHandler(namespace["main"])(request, response)
        wrap_pipeline(path, request, response)

    def _load(self, request: Request) -> tuple[str, dict[str, Any]]:
        path = self._script(request)
        # An OSError while the file is loaded counts as a missing file, as it does for clients
        # of existing handlers; one that main() raises does not get here.
        try:
            with open_regular(path) as file:
                source = file.read()
            namespace: dict[str, Any] = {"__file__": path}
            exec(compile(source, path, "exec", dont_inherit=True), namespace)
        except OSError as error:
            raise _unopened(error) from None
        return path, namespace

    def _script(self, request: Request) -> str:
        path = self._path(request)
        if os.path.isdir(path):
            from pathlib import Path

            scripts = sorted(file for file in Path(path).glob("default*.py") if file.is_file())
            if scripts:
                return str(scripts[0])
        return path

    def frame_handler(self, request: Request) -> Any:
        """A handler that has the script's functions for HTTP/2 frames as attributes."""
        path, namespace = self._load(request)
        found = [name for name in ("handle_headers", "handle_data") if name in namespace]
        if not found and "main" not in namespace:
            raise HTTPException(500, f"No main function or handlers in script {path}")
        handler = FunctionHandler(namespace.get("main", lambda request, response: None))
        for name in found:
            setattr(handler, name, namespace[name])
        return handler


class AsIsHandler(_PathHandler):
    """Sends a file's bytes as the whole response, status line included, and closes."""

    def __call__(self, request: Request, response: Response) -> None:
        path = self._path(request)
        if os.path.isdir(path):
            raise HTTPException(500, f"AsIsHandler cannot process directory, {path}")
        try:
            with open_regular(path) as file:
                response.writer.write_raw_content(file.read())
        except OSError as error:
            raise _unopened(error) from None
        wrap_pipeline(path, request, response)
        response.close_connection = True


class BasicAuthHandler:
    """Lets `handler` answer requests that carry credentials.

    :param user: As bytes, or None to let any credentials pass.
    :param password: As bytes.
    """

    def __init__(self, handler: Handler, user: bytes | None, password: bytes | None) -> None:
        self.handler = handler
        self.user = user
        self.password = password

    def __call__(self, request: Request, response: Response) -> Any:
        if "authorization" not in request.headers:
            response.status = 401
            response.headers.set("WWW-Authenticate", "Basic")
            return response
        given = Authentication(request.headers)
        if self.user is not None and (given.username, given.password) != (self.user, self.password):
            response.set_error(403, "Invalid username or password")
            return response
        return self.handler(request, response)


class ErrorHandler:
    """Answers every request with the error `status`."""

    def __init__(self, status: int) -> None:
        self.status = status

    def __call__(self, request: Request, response: Response) -> None:
        response.set_error(self.status)


class StringHandler:
    """Sends `data` with a content type and further headers, ``_`` in their names meaning ``-``."""

    def __init__(self, data: Text, content_type: Text, **headers: Any) -> None:
        self.data = data
        self.resp_headers: list[tuple[str, Any]] = [("Content-Type", content_type)]
        self.resp_headers += ((name.replace("_", "-"), value) for name, value in headers.items())

    def __call__(self, request: Request, response: Response) -> Any:
        return FunctionHandler(self.handle_request)(request, response)

    def handle_request(self, request: Request, response: Response) -> Any:
        """Headers and data."""
        return self.resp_headers, self.data


class StaticHandler:
    """Sends text files, joined, as a %-format filled from a dict; read when first asked for.

    :param path: One path, or several. Their ``.headers`` files are not looked at.
    """

    def __init__(
        self,
        path: str | Iterable[str],
        format_args: dict[str, Any] | None,
        content_type: Text,
        **headers: Any,
    ) -> None:
        self._paths = [path] if isinstance(path, str) else list(path)
        self._format_args = format_args
        self._content_type = content_type
        self._headers = headers
        self._handler: StringHandler | None = None

    def __call__(self, request: Request, response: Response) -> Any:
        return self.string_handler()(request, response)

    def string_handler(self) -> StringHandler:
        """The handler that sends what the files hold."""
        if self._handler is None:
            self._handler = StringHandler(self._text(), self._content_type, **self._headers)
        return self._handler

    def _text(self) -> str:
        text = ""
        for path in self._paths:
            with open_regular(path) as file:
                text += file.read().decode("utf-8")
        return text % self._format_args if self._format_args else text

    def __getstate__(self) -> dict[str, Any]:
        # What has been read may be large, and can be read again.
        return {**self.__dict__, "_handler": None}


file_handler = FileHandler()
python_script_handler = PythonScriptHandler()
as_is_handler = AsIsHandler()
basic_auth_handler = BasicAuthHandler(file_handler, None, None)
