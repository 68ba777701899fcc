"""What a handler reads from a request: multi-valued maps, headers, cookies, credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, Iterator, TypeVar, overload

from . import _cookies
from ._message import message_from_fields
from ._wptserve import H2Request, InputFile, Request, Server
from .utils import HTTPException, isomorphic_decode, isomorphic_encode

if TYPE_CHECKING:
    from http.client import HTTPMessage
    from http.cookies import Morsel

__all__ = [
    "Authentication",
    "CookieValue",
    "Cookies",
    "H2Headers",
    "H2Request",
    "InputFile",
    "MultiDict",
    "Request",
    "RequestHeaders",
    "Server",
    "attributes_of",
    "parse_cookies",
    "raw_headers",
]

_MISSING: Any = object()
D = TypeVar("D")


class MultiDict(dict):  # type: ignore[type-arg]
    """Several values per key: a dict of lists, read one value at a time.

    The engine's keys are bytes. A str finds the key with the same latin-1 bytes, and bytes find
    such a str; ``items()``, ``values()`` and the methods not defined here are plain dict's.
    """

    def __init__(self) -> None:
        super().__init__()

    def __setitem__(self, name: bytes | str, value: Any) -> None:
        super().__setitem__(self._stored_as(name), [value])

    def add(self, name: bytes | str, value: Any) -> None:
        """Appends `value` to those of `name`."""
        self.setdefault(self._stored_as(name), []).append(value)

    def __getitem__(self, key: bytes | str) -> Any:
        return self.first(key)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(self._stored_as(key))

    def first(self, key: bytes | str, default: Any = _MISSING) -> Any:
        """The first value of `key`, else `default`; KeyError when neither is there."""
        return self._pick(key, 0, default)

    def last(self, key: bytes | str, default: Any = _MISSING) -> Any:
        """The last value of `key`, else `default`; KeyError when neither is there."""
        return self._pick(key, -1, default)

    def get(self, key: bytes | str, default: Any = None) -> Any:
        """The first value of `key`, else `default`."""
        return self.first(key, default)

    def get_list(self, key: bytes | str) -> list[Any]:
        """All values of `key`, in order; empty when there are none."""
        values = self._values(key)
        return [] if values is None else values

    def __reduce__(self) -> tuple[Any, ...]:
        # A dict's own pickle is loaded through __setitem__, which would wrap the lists in lists.
        return _restored, (type(self), dict(self))

    @classmethod
    def from_field_storage(cls, fs: Any) -> MultiDict:
        """The fields of a parsed form, in order of arrival; plain values as bytes."""
        fields = cls()
        for item in fs.list or ():
            value = item if item.filename else isomorphic_encode(item.value)
            fields.add(isomorphic_encode(item.name), value)
        return fields

    def _pick(self, key: bytes | str, index: int, default: Any) -> Any:
        values = self._values(key)
        if values:
            return values[index]
        if default is _MISSING:
            raise KeyError(key)
        return default

    def _values(self, key: Any) -> list[Any] | None:
        values: list[Any] | None = super().get(key)
        return super().get(self._stored_as(key)) if values is None else values

    def _stored_as(self, key: Any) -> Any:
        """`key` in the form, bytes or str, under which this dict has it; else `key` itself."""
        if super().__contains__(key):
            return key
        if isinstance(key, str):
            try:
                other: Any = key.encode("latin-1")
            except UnicodeEncodeError:
                return key
        elif isinstance(key, bytes):
            other = key.decode("latin-1")
        else:
            return key
        return other if super().__contains__(other) else key


class RequestHeaders(dict):  # type: ignore[type-arg]
    """Request header fields: lower-case bytes names to a list with the field's value.

    Names are looked up as bytes or str in any case; values are bytes, those of a repeated field
    joined by commas. Iteration and ``items()`` are plain dict's, so values are lists there.

    :param fields: A mapping; one with ``getallmatchingheaders`` gives repeated fields whole. (A
        request's own headers have the first value alone: the method finds none in the message
        class of the standard library, and tests have come to rely on that.)
    """

    def __init__(self, fields: Any = None) -> None:
        super().__init__()
        if fields is None:
            return
        for name in fields.keys():
            key = isomorphic_encode(name).lower()
            self.setdefault(key, _field_values(fields, name))

    def __getitem__(self, key: bytes | str) -> bytes:
        return b", ".join(super().__getitem__(isomorphic_encode(key).lower()))

    def __setitem__(self, name: Any, value: Any) -> None:
        raise TypeError("request headers are read-only")

    def __contains__(self, key: Any) -> bool:
        return super().__contains__(isomorphic_encode(key).lower())

    @overload  # type: ignore[override]
    def get(self, key: bytes | str) -> bytes | None: ...

    @overload
    def get(self, key: bytes | str, default: D) -> bytes | D: ...

    def get(self, key: bytes | str, default: Any = None) -> Any:
        """The value of `key`, else `default`."""
        values = super().get(isomorphic_encode(key).lower())
        return default if values is None else b", ".join(values)

    @overload
    def get_list(self, key: bytes | str) -> list[bytes]: ...

    @overload
    def get_list(self, key: bytes | str, default: D) -> list[bytes] | D: ...

    def get_list(self, key: bytes | str, default: Any = _MISSING) -> Any:
        """The list of values of `key`, else `default`; KeyError when neither is there."""
        try:
            return super().__getitem__(isomorphic_encode(key).lower())
        except KeyError:
            if default is _MISSING:
                raise
            return default

    def __reduce__(self) -> tuple[Any, ...]:
        # A dict's own pickle is loaded through __setitem__, which refuses.
        return _restored, (type(self), dict(self))

    def iteritems(self) -> Iterator[tuple[bytes, bytes]]:
        """Pairs of name and value, values not in lists."""
        return ((name, self[name]) for name in self)

    def itervalues(self) -> Iterator[bytes]:
        """Values, not in lists."""
        return (self[name] for name in self)


def _field_values(fields: Any, name: str) -> list[bytes]:
    lines = fields.getallmatchingheaders(name) if hasattr(fields, "getallmatchingheaders") else ()
    if len(lines) < 2:
        return [isomorphic_encode(fields[name])]
    return [isomorphic_encode(line).partition(b":")[2].strip() for line in lines]


def _restored(cls: type[dict[Any, Any]], items: dict[Any, Any]) -> dict[Any, Any]:
    restored = cls()
    dict.update(restored, items)
    return restored


def attributes_of(handler: Any) -> dict[str, Any]:
    """What ``Request(handler)`` takes from a handler of `http.server`'s kind: attributes, and the
    scheme, the host and the configuration of its server."""
    server, fields = handler.server, handler.headers
    scheme, path = server.scheme, handler.path
    host: str | None = fields.get("Host")
    if host is None:
        host = ":".join(str(part) for part in server.server_address[:2])
    elif ":" not in host:
        host = f"{host}:{server.server_address[1]}"
    return {
        "doc_root": server.router.doc_root,
        "client_address": handler.client_address,
        "protocol_version": handler.protocol_version,
        "method": handler.command,
        "raw_headers": fields,
        "request_path": path,
        "url": path if path.startswith(f"{scheme}://") else f"{scheme}://{host}{path}",
        "request_line": handler.raw_requestline,
        "raw_input": InputFile(handler.rfile, int(fields.get("Content-Length", 0))),
        "scheme": scheme,
        "host": host,
        "config": getattr(server, "config", None),
    }


class H2Headers(dict):  # type: ignore[type-arg]
    """The header list of a request over HTTP/2, as text: pseudo-header fields without their colon.

    Of a repeated field the last value counts. ``raw_headers`` keeps the names as they came.
    """

    def __init__(self, fields: Iterable[tuple[bytes, bytes]]) -> None:
        super().__init__()
        self.raw_headers: dict[str, str] = {}
        for raw_name, raw_value in fields:
            name, value = isomorphic_decode(raw_name), isomorphic_decode(raw_value)
            self.raw_headers[name] = value
            self[name.removeprefix(":")] = value


def raw_headers(pairs: list[tuple[str, str]]) -> HTTPMessage:
    """The header fields as received: case, order and repeats kept, values as latin-1 text."""
    from http.client import HTTPMessage

    return message_from_fields(HTTPMessage, pairs)


class Cookies(MultiDict):
    """The request's cookies by name; ``[]`` gives the last of a name."""

    def __getitem__(self, key: bytes | str) -> CookieValue:
        cookie: CookieValue = self.last(key)
        return cookie


class CookieValue:
    """One cookie: `value` is bytes, `key` and the attributes are str, ``str()`` is its text.

    Compares equal to another cookie, or to bytes, with the same value.
    """

    expires = path = comment = domain = max_age = secure = version = httponly = ""

    def __init__(self, key: str, value: bytes, text: str, attributes: Morsel[Any] | None) -> None:
        self.key = key
        self.value = value
        self._text = text
        if attributes is not None:
            self.expires = attributes["expires"]
            self.path = attributes["path"]
            self.comment = attributes["comment"]
            self.domain = attributes["domain"]
            self.max_age = attributes["max-age"]
            self.secure = attributes["secure"]
            self.version = attributes["version"]
            self.httponly = attributes["httponly"]

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        return bool(self.value == getattr(other, "value", other))

    __hash__ = None  # type: ignore[assignment]


def parse_cookies(header: bytes | None) -> Cookies:
    """The cookies of a Cookie field.

    Follows http.cookies: of equal names the last wins, and parsing stops at the first character
    that may not stand in a cookie.
    """
    cookies = Cookies()
    if not header:
        return cookies
    field = isomorphic_decode(header)
    plain = _cookies.plain_cookies(field)
    if plain is not None:
        for name, value in plain:
            cookie = CookieValue(name, isomorphic_encode(value), f"{name}={value}", None)
            # All keys are bytes: none has to be looked for in its other form.
            dict.__setitem__(cookies, isomorphic_encode(name), [cookie])
        return cookies
    jar = _jar_class()()
    jar.load(field)
    for name, morsel in jar.items():
        cookie = CookieValue(morsel.key, morsel.value, morsel.OutputString(), morsel)
        cookies[isomorphic_encode(name)] = cookie
    return cookies


_jar: Any = None


def _jar_class() -> Any:
    # Made on first use: http.cookies is not worth loading for requests without cookies.
    global _jar
    if _jar is None:
        from http.cookies import BaseCookie

        class RequestCookieJar(BaseCookie):  # type: ignore[type-arg]
            def value_decode(self, val: str) -> tuple[bytes, str]:
                return isomorphic_encode(val), val

        _jar = RequestCookieJar
    return _jar


class Authentication:
    """The credentials of a Basic Authorization field as bytes, or None twice without the field.

    Raises HTTPException 400 for another scheme, ValueError when scheme and credentials, or user
    and password, are not two.
    """

    username: bytes | None
    password: bytes | None

    def __init__(self, headers: RequestHeaders) -> None:
        self.username = self.password = None
        if "authorization" not in headers:
            return
        scheme, credentials = headers["authorization"].split(b" ", 1)
        if scheme != b"Basic":
            raise HTTPException(400, f"Unsupported authentication scheme {scheme!r}")
        self.username, self.password = self.decode_basic(credentials)

    def decode_basic(self, data: bytes) -> list[bytes]:
        """User and password of base64 credentials; one item when there is no colon."""
        from binascii import a2b_base64

        return a2b_base64(data).split(b":", 1)
