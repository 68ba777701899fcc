"""Runs operations on PyPI's wptserve: `reference_probe.py SITE-PACKAGES`, JSON in, JSON out.

Bytes travel as latin-1 text. An exception is answered by {"raises": its type's name}.
"""

from __future__ import annotations

import datetime
import http.client
import io
import json
import linecache
import sys
import types
from pathlib import Path

site = Path(sys.argv[1])
sys.path.insert(0, str(site))
# The package's own __init__ imports the whole server; its modules are wanted one by one.
package = types.ModuleType("wptserve")
package.__path__ = [str(site / "wptserve")]
sys.modules["wptserve"] = package

import wptserve.ranges  # noqa: E402
import wptserve.request  # noqa: E402
import wptserve.response  # noqa: E402
import wptserve.router  # noqa: E402
from wptserve.cgi import FieldStorage, parse_header  # noqa: E402
from wptserve.config import ConfigBuilder  # noqa: E402


def describe(value):
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return {
        "name": value.name,
        "filename": value.filename,
        "type": value.type,
        "type_options": value.type_options,
        "disposition": value.disposition,
        "disposition_options": value.disposition_options,
        "headers": list(value.headers.items()),
        "text": str(value.headers),
        "value": inner(value.value),
    }


def inner(value):
    if isinstance(value, list):
        return [[item.name, item.filename, inner(item.value)] for item in value]
    return value.decode("latin-1") if isinstance(value, bytes) else value


def post(method, content_type, body):
    content = body.encode("latin-1")
    fields = b"Content-Length: %d\r\n" % len(content)
    if content_type is not None:
        fields += b"Content-Type: " + content_type.encode("latin-1") + b"\r\n"
    headers = http.client.parse_headers(io.BytesIO(fields + b"\r\n"))
    form = FieldStorage(
        fp=wptserve.request.InputFile(io.BytesIO(content), len(content)),
        environ={"REQUEST_METHOD": method},
        headers=headers,
        keep_blank_values=True,
        encoding="iso-8859-1",
    )
    fields = wptserve.request.MultiDict.from_field_storage(form)
    return {
        name.decode("latin-1"): [describe(value) for value in values]
        for name, values in dict.items(fields)
    }


def cookies(header):
    parser = wptserve.request.BinaryCookieParser()
    parser.load(header.encode("latin-1"))
    found = [wptserve.request.CookieValue(morsel) for morsel in parser.values()]
    return [
        [str(item), item.key, item.value.decode("latin-1")]
        + [
            getattr(item, name)
            for name in (
                "expires",
                "path",
                "comment",
                "domain",
                "max_age",
                "secure",
                "version",
                "httponly",
            )
        ]
        for item in found
    ]


def auth(header):
    headers = http.client.parse_headers(
        io.BytesIO(b"Authorization: " + header.encode("latin-1") + b"\r\n\r\n")
    )
    found = wptserve.request.Authentication(wptserve.request.RequestHeaders(headers))
    return [found.username.decode("latin-1"), found.password.decode("latin-1")]


def set_cookie(keywords):
    if "expires_at" in keywords:
        keywords["expires"] = datetime.datetime(*keywords.pop("expires_at"))
    if "max_age_seconds" in keywords:
        keywords["max_age"] = datetime.timedelta(seconds=keywords.pop("max_age_seconds"))
    response = types.SimpleNamespace(headers=wptserve.response.ResponseHeaders())
    wptserve.response.Response.set_cookie(response, **keywords)
    return [value.decode("latin-1") for _, value in response.headers]


def ranges(header, size):
    found = wptserve.ranges.RangeParser()(header.encode("latin-1"), size)
    return [[item.lower, item.upper, item.header_value()] for item in found]


def route(pattern, path):
    found = wptserve.router.compile_path_match(pattern).match(path)
    return found and [found.groupdict(), list(found.groups())]


def raw_headers(block):
    message = http.client.parse_headers(io.BytesIO(block.encode("latin-1")))
    return [list(message.raw_items()), str(message)]


def header(line):
    return list(parse_header(line))


def config(keywords, override):
    import logging

    builder = ConfigBuilder(logging.getLogger(), **keywords)
    builder.update(override)
    with builder as found:
        data = found.as_dict()
    return {
        key: sorted(value) if key.endswith("_set") or key.endswith("subdomains") else value
        for key, value in data.items()
    }


def server_error(source):
    linecache.cache["/docs/x.py"] = (len(source), None, source.splitlines(True), "/docs/x.py")
    namespace = {}
    exec(compile(source, "/docs/x.py", "exec"), namespace)
    config = {"logging": {"suppress_handler_traceback": False}}
    server = types.SimpleNamespace(config=types.SimpleNamespace(**config))
    request = types.SimpleNamespace(url="http://h/x.py?q", server=server)
    try:
        namespace["main"](None, None)
    except Exception as error:
        error = error.with_traceback(error.__traceback__.tb_next)
        return wptserve.response.Response._format_server_error(
            types.SimpleNamespace(request=request), error
        )


def multipart(boundary, default, parts):
    content = wptserve.response.MultipartContent(boundary, default)
    for data, content_type, fields in parts:
        content.append_part(data.encode("latin-1"), content_type, [tuple(f) for f in fields])
    return content().decode("latin-1")


def answer(operation, arguments):
    try:
        return globals()[operation](*arguments)
    except Exception as error:
        code = getattr(error, "code", None)
        return {
            "raises": type(error).__name__,
            **({"code": code, "text": str(error)} if code else {}),
        }


json.dump([answer(*case) for case in json.load(sys.stdin)], sys.stdout)
