"""Stands in for the extension module: what the Python modules need of it, and no more."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl

__version__ = "0.0.0"
logged: list[tuple[int, str, str]] = []


class Request: ...


class H2Request(Request): ...


class InputFile: ...


class Server: ...


class Response: ...


class H2Response(Response): ...


class ResponseWriter: ...


class H2ResponseWriter(ResponseWriter): ...


class Stash:
    lock = None


class StashLock: ...


def _bytes(value):
    return (
        str(value).encode()
        if isinstance(value, int)
        else (value.encode("latin-1") if isinstance(value, str) else value)
    )


class ResponseHeaders:
    def __init__(self):
        self._fields = {}

    def set(self, key, value):
        self._fields[_bytes(key).lower()] = (_bytes(key), [_bytes(value)])

    def append(self, key, value):
        self._fields.setdefault(_bytes(key).lower(), (_bytes(key), []))[1].append(_bytes(value))

    def get(self, key, default=()):
        return self._fields.get(_bytes(key).lower(), (b"", list(default)))[1]

    def update(self, items):
        for name, value in items:
            self.append(name, value)

    def __delitem__(self, key):
        del self._fields[_bytes(key).lower()]

    def __contains__(self, key):
        return _bytes(key).lower() in self._fields

    def __iter__(self):
        return ((name, value) for name, values in self._fields.values() for value in values)


class FunctionHandler:
    def __init__(self, func):
        self.func = func

    def __call__(self, request, response):
        result = self.func(request, response)
        if isinstance(result, tuple):
            *status, headers, response.content = result
            if status:
                response.status = status[0]
            response.headers.update(headers)
        elif result is not None:
            response.content = result


def guess_content_type(path):
    return content_types().get(path.rpartition(".")[2], "application/octet-stream")


def directory_listing(url_path, path):
    return f"<title>{escape(url_path)}</title>"


def content_types():
    return {"txt": "text/plain", "html": "text/html"}


def reason_phrases():
    return {200: "OK", 404: "Not Found", 999: "Odd"}


def parse_query(query):
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def log(level, logger, message):
    logged.append((level, logger, message))


def stash_config():
    return None


class NativeContent:
    """Content that the engine makes while it is sent."""


def _extension_only(*arguments):
    raise NotImplementedError("this needs the extension")


def pipe_names():
    return []


def pipe_string(path, query):
    return None


parse_pipes = apply_pipe = template = load_headers = _extension_only
