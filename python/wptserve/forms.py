"""The fields of a request body: URL-encoded and multipart.

What is accepted, and what becomes of bodies that bend the rules, is what Python's former `cgi`
module did with them, because that is what the handlers in use were written against.
"""

from __future__ import annotations

import re
from functools import cached_property
from io import StringIO
from typing import TYPE_CHECKING, Any, BinaryIO, Iterator

from ._multipart import Body, PartHead, PartReader
from ._wptserve import parse_query
from .request import MultiDict

if TYPE_CHECKING:
    from email.message import Message

__all__ = ["FieldStorage", "MiniFieldStorage", "parse_header", "parse_post"]

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/"


def parse_post(
    raw_input: Body, method: str, content_type: bytes | None, content_length: int
) -> MultiDict:
    """The fields of a request's body, in order of arrival: bytes, or FieldStorage for a file.

    Empty for GET and HEAD. A POST without Content-Type is taken as URL-encoded. Raises TypeError
    for a body that is no form and for a part without a name, ValueError for a multipart type
    without a usable boundary. `raw_input` is read from its start and left where it was.
    """
    method = method.upper()
    if method in ("GET", "HEAD"):
        return MultiDict()
    if content_type is not None:
        kind, options = parse_header(content_type.decode("latin-1"))
    else:
        kind, options = URLENCODED if method == "POST" else "text/plain", {}
    position = raw_input.tell()
    raw_input.seek(0)
    try:
        if kind == URLENCODED:
            return _plain_fields(raw_input.read())
        if kind.startswith(MULTIPART):
            boundary = _boundary(options)
            return _multipart_fields(_read_parts(PartReader(raw_input), boundary))
    finally:
        raw_input.seek(position)
    if content_length > 0:
        # What the cgi module said, when it tried to keep the bytes of such a body as text.
        raise TypeError("write() argument must be str, not bytes")
    return MultiDict()


def _plain_fields(query: bytes) -> MultiDict:
    fields = MultiDict()
    for name, value in parse_query(query):
        fields.add(name, value)
    return fields


def _multipart_fields(parts: list[FieldStorage]) -> MultiDict:
    fields = MultiDict()
    for part in parts:
        value: Any = part
        if not part.filename:
            if part.list is not None:
                raise TypeError(f"Unexpected value (expecting string-like): {part.list!r}")
            value = part._bytes()
        if part.name is None:
            raise TypeError("Unexpected value (expecting string-like): None")
        fields.add(part.name.encode("latin-1"), value)
    return fields


class MiniFieldStorage:
    """A URL-encoded field: `name` and `value` as str."""

    filename = list = type = file = disposition = None
    type_options: dict[str, str] = {}
    disposition_options: dict[str, str] = {}
    headers: dict[str, str] = {}

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.value = value

    def __repr__(self) -> str:
        return f"MiniFieldStorage({self.name!r}, {self.value!r})"


class FieldStorage:
    """A part of a multipart body; made by `parse_post`, not by handlers.

    :ivar name: The field's name as latin-1 text, or None.
    :ivar filename: The file's name at the client as latin-1 text, or None.
    :ivar file: A seekable file with the content: binary for a part with a filename, else text;
        None for a part that holds fields itself.
    :ivar list: The fields of such a part, else None.
    :ivar type: The content type, text/plain when not given; `type_options` its parameters.
    :ivar disposition: The Content-Disposition; `disposition_options` its parameters.
    """

    def __init__(self, head: PartHead) -> None:
        self._head = head
        self.disposition, self.disposition_options = parse_header(
            head.get("content-disposition") or ""
        )
        self.name = self.disposition_options.get("name")
        self.filename = self.disposition_options.get("filename")
        content_type = head.get("content-type")
        self.type, self.type_options = (
            ("text/plain", {}) if content_type is None else parse_header(content_type)
        )
        self.list: list[Any] | None = None
        self._content: BinaryIO | None = None

    @cached_property
    def headers(self) -> Message:
        """The part's header fields, without Content-Length; ``[]`` gives None for an absent one."""
        return self._head.message()

    @cached_property
    def file(self) -> Any:
        if self._content is None or self.filename is not None:
            return self._content
        return StringIO(self._bytes().decode("latin-1"), newline="\n")

    @property
    def value(self) -> Any:
        """The whole content: bytes for a part with a filename, else str, or the list of fields."""
        if self.file is None:
            return self.list
        self.file.seek(0)
        content = self.file.read()
        self.file.seek(0)
        return content

    def _bytes(self) -> bytes:
        if self._content is None:
            return b""
        self._content.seek(0)
        content = self._content.read()
        self._content.seek(0)
        return content

    def __repr__(self) -> str:
        return f"FieldStorage({self.name!r}, {self.filename!r}, {self.value!r})"

    def __enter__(self) -> FieldStorage:
        return self

    def __exit__(self, *exc: object) -> None:
        self.file.close()

    # As a container it holds the fields of `list`; a part that is a file or a plain value has
    # none, and then every one of these raises TypeError, bool() included.

    def keys(self) -> list[Any]:
        """The names of the fields, each once."""
        return list(dict.fromkeys(item.name for item in self._items()))

    def getlist(self, key: str) -> list[Any]:
        """The values of `key`."""
        return [item.value for item in self._items() if item.name == key]

    def getfirst(self, key: str, default: Any = None) -> Any:
        """The first value of `key`, else `default`."""
        return next(iter(self.getlist(key)), default)

    def getvalue(self, key: str, default: Any = None) -> Any:
        """The value of `key`, the list of them when there are several, `default` for none."""
        values = self.getlist(key)
        return default if not values else values[0] if len(values) == 1 else values

    def __getitem__(self, key: str) -> Any:
        found = [item for item in self._items() if item.name == key]
        if not found:
            raise KeyError(key)
        return found[0] if len(found) == 1 else found

    def __contains__(self, key: object) -> bool:
        return any(item.name == key for item in self._items())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __bool__(self) -> bool:
        if self.list is None:
            raise TypeError("Cannot be converted to bool.")
        return bool(self.list)

    def _items(self) -> list[Any]:
        if self.list is None:
            raise TypeError("not indexable")
        return self.list


def parse_header(line: str) -> tuple[str, dict[str, str]]:
    """A field value such as a content type, and its ``; name=value`` parameters.

    Parameter names are lower-cased, quotes around a value and backslashes in it removed.
    """
    first, *parameters = _split_parameters(line)
    options = {}
    for parameter in parameters:
        name, equals, value = parameter.partition("=")
        if equals:
            value = value.strip()
            if len(value) >= 2 and value[0] == value[-1] == '"':
                value = value[1:-1].replace("\\\\", "\\").replace('\\"', '"')
            options[name.strip().lower()] = value
    return first, options


def _split_parameters(line: str) -> Iterator[str]:
    """`line` cut at each semicolon that has an even number of unescaped quotes before it."""
    held: list[str] = []
    quotes = 0
    for piece in line.split(";"):
        held.append(piece)
        quotes += piece.count('"') - piece.count('\\"')
        if quotes % 2 == 0:
            yield ";".join(held).strip()
            held.clear()
            quotes = 0
    if held:
        yield ";".join(held).strip()


def _boundary(options: dict[str, str]) -> bytes:
    boundary = options.get("boundary", "").encode("latin-1", "replace")
    if not _BOUNDARY.match(boundary):
        raise ValueError(f"Invalid boundary in multipart form: {boundary!r}")
    return boundary


_BOUNDARY = re.compile(rb"[ -~]{0,200}[!-~]$")


def _read_parts(reader: PartReader, boundary: bytes) -> list[FieldStorage]:
    """The parts up to the final boundary or the end of the body, whichever is first."""
    parts: list[FieldStorage] = []
    reader.skip_preamble(boundary)
    more = True
    while more:
        block = reader.head()
        if not block:
            break
        part = FieldStorage(PartHead(block))
        parts.append(part)
        if part.type == URLENCODED:
            # Such a part has no boundary to the cgi module: it is the rest of the body.
            part.list = [
                MiniFieldStorage(name.decode("latin-1"), value.decode("latin-1"))
                for name, value in parse_query(reader.rest())
            ]
            more = False
        elif part.type.startswith(MULTIPART):
            part.list = _read_parts(reader, _boundary(part.type_options))
            # Nor did that module find the outer boundary again behind an inner multipart.
            reader.rest()
            more = False
        else:
            part._content, more = reader.content(boundary)
    return parts
