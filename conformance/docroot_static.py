"""Files whose bytes are what a case is about: `.headers` files, `.asis`, ranges, pipes.

A test module takes its cases from these tables, so that a file and the case that asks for it
carry the same name.
"""

import pathlib

from docroot_templates import (
    BAD_CONFIGURED_TEMPLATES, BAD_TEMPLATES, CONFIGURED_TEMPLATES, ESCAPED, NAMES_OF_TEMPLATES,
    TEMPLATES,
)

# `.headers` files by name; each stands beside a text file of that name.
HEADERS_FILES = {
    "line-feed": b"X-A: 1\nX-B: 2\n",
    "carriage-return-line-feed": b"X-A: 1\r\nX-B: 2\r\n",
    "carriage-return": b"X-A: 1\rX-B: 2\r",
    "mixed-line-ends": b"X-A: 1\r\nX-B: 2\nX-C: 3\rX-D: 4",
    "no-final-newline": b"X-A: 1",
    "empty": b"",
    "only-newlines": b"\n\r\n\n",
    "empty-lines-between": b"\n\nX-A: 1\n\n\nX-B: 2\n\n",
    "repeated": b"X-A: 1\nX-B: 2\nX-A: 3\nx-a: 4\n",
    "same-twice": b"X-A: 1\nX-A: 1\n",
    "content-type": b"Content-Type: text/x-own; charset=utf-8\n",
    "content-type-lower-case": b"X-A: 1\ncontent-type: text/x-own\n",
    "content-type-twice": b"Content-Type: text/one\nContent-Type: text/two\n",
    "content-type-empty": b"Content-Type:\n",
    "no-space": b"X-A:1\n",
    "many-spaces": b"X-A:   \t 1 \t  \n",
    "space-inside": b"X-A: 1  2\t3\n",
    "space-before-name": b"  X-A: 1\n\tX-B: 2\n",
    "space-before-colon": b"X-A : 1\n",
    "vertical-tab-and-form-feed": b"X-A: \x0b1\x0c\nX-B: a\x0b\x0cb\n",
    "value-with-colons": b"Link: <http://h:80/>; rel=x\n",
    "value-empty": b"X-A:\nX-B: \nX-C: 1\n",
    "value-quoted": b'X-A: "a, b"; c=\'d\'\n',
    "value-latin-1": b"X-A: caf\xe9 \xa0\n",
    "value-utf-8": "X-A: élève 天\n".encode(),
    "value-every-high-byte": b"X-A: " + bytes(range(0x80, 0x100)) + b"!\n",
    "value-control": b"X-A: a\x01\x7fb\n",
    "value-next-line": b"X-A: a\x85b\x1cc\x1dd\x1ee\n",
    "value-long": b"X-A: " + b"v" * 20000 + b"\n",
    "value-braces": b"X-A: {{host}} {{unknown}}\n",
    "many": b"".join(b"X-%d: %d\n" % (i, i) for i in range(300)),
    "name-empty": b": 1\n",
    "name-only": b"X-A:",
    "name-odd": b"X A: 1\nX(B): 2\nX@C: 3\n",
    "name-latin-1": b"X-\xe9: 1\n",
    "name-upper-case": b"X-UPPER: 1\n",
    "name-bytes-differ": b"X-a: 1\nX-A: 2\n",
    "comment-with-colon": b"# note: X\nX-A: 1\n",
    "folded": b"X-A: 1,\n 2: 3\n",
    "byte-order-mark": b"\xef\xbb\xbfX-A: 1\n",
    "nul-in-value": b"X-A: a\0b\n",
    "length-right": b"Content-Length: 5\n",
    "length-short": b"Content-Length: 2\n",
    "length-long": b"Content-Length: 50\n",
    "length-not-a-number": b"Content-Length: many\n",
    "length-zero": b"Content-Length: 0\n",
    "date-own": b"Date: yesterday\n",
    "server-own": b"Server: mine\n",
    "server-and-date-lower-case": b"server: a\ndate: b\n",
    "connection-close": b"Connection: close\n",
    "connection-keep-alive": b"Connection: keep-alive\nKeep-Alive: timeout=5\n",
    "chunked": b"Transfer-Encoding: chunked\n",
    "content-encoding": b"Content-Encoding: gzip\n",
    "location": b"Location: /elsewhere\nRefresh: 0\n",
    "status-field": b"Status: 404\n",
    "set-cookie-several": b"Set-Cookie: a=1\nSet-Cookie: b=2; Path=/\n",
    "etag": b'ETag: "1"\nLast-Modified: Mon, 01 Jan 2001 00:00:00 GMT\n',
    "accept-ranges": b"Accept-Ranges: none\n",
}

# What the server must refuse: 500.
BAD_HEADERS_FILES = {
    "no-colon": b"X-A\n",
    "no-colon-later": b"X-A: 1\nfree text\nX-B: 2\n",
    "comment": b"# a comment\nX-A: 1\n",
    "only-spaces": b"X-A: 1\n   \nX-B: 2\n",
    "only-form-feed": b"X-A: 1\n\x0c\n",
    "nul-line": b"\0\n",
    "status-line": b"HTTP/1.1 200 OK\nX-A: 1\n",
}

SUB_HEADERS_FILES = {
    "host": b"X-Host: {{host}}\n",
    "several": b"X-A: {{host}}:{{ports[http][0]}}\nX-B: {{location[path]}}\n",
    "get": b"X-A: {{GET[a]}}\nX-Missing: {{GET[missing]}}|\n",
    "request-header": b"X-A: {{headers[x-asked]}}\n",
    "default": b"X-A: {{header_or_default(X-Absent, none given)}}\n",
    "not-escaped": b"X-A: {{GET[html]}}\n",
    "variable": b"X-A: {{$h:host}}\nX-B: {{$h}}\n",
    "uuid": b"X-A: {{uuid()}}\n",
    "injected": b"X-A: {{GET[line]}}\nX-B: 2\n",
    "injected-colon": b"{{GET[name]}}\n",
    "name": b"X-{{host}}: 1\n",
    "empty-value": b"X-A: {{GET[missing]}}\n",
    "no-token": b"X-A: plain { { } }}\n",
    "token-over-lines": b"X-A: {{host\n}} end\n",
    "latin-1-beside-token": b"X-A: \xe9{{host}}\xff\n",
    "content-type": b"Content-Type: text/{{GET[type]}}\n",
    "stripped": b"X-A:  {{GET[spaced]}}  \n",
}

BAD_SUB_HEADERS_FILES = {
    "unknown": b"X-A: {{unknown}}\n",
    "no-token": b"X-A: {{}}\n",
    "missing-header": b"X-A: {{headers[x-absent]}}\n",
    "becomes-malformed": b"{{host}}\n",
}

ASIS = {
    "crlf": b"HTTP/1.1 202 Taken\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nasis\n",
    "nul": b"HTTP/1.1 200 OK\r\nX-Nul: a\0b\r\nContent-Length: 0\r\n\r\n",
    "not-http": b"no response at all\xff\xfe",
    "empty": b"",
    "only-newline": b"\n",
    "line-feeds-length": b"HTTP/1.1 200 YAYAYAYA\nContent-Type: text/plain\n"
                         b"Content-Length: 2\n\nab",
    "line-feeds-surplus": b"HTTP/1.1 200 OK\nContent-Length: 1\n\nabc",
    "mixed-line-ends": b"HTTP/1.1 200 OK\r\nX-A: 1\nX-B: 2\r\r\n\r\nbody",
    "http10-crlf": b"HTTP/1.0 280 Old\r\nContent-Type: text/plain\r\n\r\nbody",
    "http09": b"<!doctype html>only a body",
    "http2-version": b"HTTP/2.0 200 OK\r\n\r\nbody",
    "status-odd": b"HTTP/1.1 444 \r\nContent-Length: 0\r\n\r\n",
    "status-none": b"HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "two-responses": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na" * 2,
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"
               b"Content-Length: 1\r\n\r\na",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "tokens.sub": b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{{host}}",
    "every-byte": b"HTTP/1.1 200 OK\r\n\r\n" + bytes(range(256)),
    "large": b"HTTP/1.1 200 OK\r\n\r\n" + b"0123456789abcdef" * (32 << 10),
    "connection-keep-alive": b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n"
                             b"Content-Length: 1\r\n\r\na",
}

_TEXT = b"text\n"

FILES: dict[str, bytes] = {
    **{f"headers-files/{name}.txt": _TEXT for name in [*HEADERS_FILES, *BAD_HEADERS_FILES]},
    **{f"headers-files/{name}.txt.headers": data
       for name, data in {**HEADERS_FILES, **BAD_HEADERS_FILES}.items()},
    **{f"headers-files/sub/{name}.txt": _TEXT for name in SUB_HEADERS_FILES},
    **{f"headers-files/sub/{name}.txt.sub.headers": data
       for name, data in SUB_HEADERS_FILES.items()},
    **{f"headers-files/sub/bad-{name}.txt": _TEXT for name in BAD_SUB_HEADERS_FILES},
    **{f"headers-files/sub/bad-{name}.txt.sub.headers": data
       for name, data in BAD_SUB_HEADERS_FILES.items()},
    # Both kinds beside one file.
    "headers-files/both/file.txt": _TEXT,
    "headers-files/both/file.txt.headers": b"X-Plain: 1\n",
    "headers-files/both/file.txt.sub.headers": b"X-Sub: {{host}}\n",
    "headers-files/both/sub-empty.txt": _TEXT,
    "headers-files/both/sub-empty.txt.headers": b"X-Plain: 1\n",
    "headers-files/both/sub-empty.txt.sub.headers": b"",
    "headers-files/both/sub-is-directory.txt": _TEXT,
    "headers-files/both/sub-is-directory.txt.headers": b"X-Plain: 1\n",
    "headers-files/both/sub-is-directory.txt.sub.headers/inner": b"",
    "headers-files/both/is-directory.txt": _TEXT,
    "headers-files/both/is-directory.txt.headers/inner": b"",
    "headers-files/both/no-target.txt.headers": b"X-Plain: 1\n",
    # A whole folder.
    "headers-files/folder/__dir__.headers": b"X-Dir: 1\nX-Both: dir\nCache-Control: no-store\n",
    "headers-files/folder/plain.txt": _TEXT,
    "headers-files/folder/own.txt": _TEXT,
    "headers-files/folder/own.txt.headers": b"X-Own: 2\nx-both: own\nX-Dir: 3\n",
    "headers-files/folder/type.txt": _TEXT,
    "headers-files/folder/type.txt.headers": b"Content-Type: text/x-own\n",
    "headers-files/folder/page.sub.html": b"{{host}}",
    "headers-files/folder/response.asis": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
    "headers-files/folder/handler.py": b"def main(request, response):\n    return 'handler'\n",
    "headers-files/folder/handler.py.headers": b"X-Own: 1\n",
    "headers-files/folder/response.asis.headers": b"X-Own: 1\n",
    "headers-files/folder/below/plain.txt": _TEXT,
    "headers-files/folder/below.headers": b"X-Below: 1\n",
    "headers-files/folder-sub/__dir__.sub.headers":
        b"X-Host: {{host}}\nX-Path: {{location[path]}}\n",
    "headers-files/folder-sub/plain.txt": _TEXT,
    "headers-files/folder-sub/own.txt": _TEXT,
    "headers-files/folder-sub/own.txt.sub.headers": b"X-Host: {{url_base}}\n",
    "headers-files/folder-both/__dir__.headers": b"X-Dir: plain\n",
    "headers-files/folder-both/__dir__.sub.headers": b"X-Dir: sub\n",
    "headers-files/folder-both/plain.txt": _TEXT,
    "headers-files/folder-type/__dir__.headers": b"Content-Type: text/x-dir\nX-After: 1\n",
    "headers-files/folder-type/plain.txt": _TEXT,
    "headers-files/folder-type/own.txt": _TEXT,
    "headers-files/folder-type/own.txt.headers": b"X-Own: 1\nContent-Type: text/x-own\n",
    "headers-files/folder-bad/__dir__.headers": b"X-Dir\n",
    "headers-files/folder-bad/plain.txt": _TEXT,
    "headers-files/variable/__dir__.sub.headers": b"X-A: {{$a:host}}\n",
    "headers-files/variable/plain.txt": _TEXT,
    "headers-files/variable/plain.txt.sub.headers": b"X-B: {{$a}}\n",
    "headers-files/page.sub.html": b"<p>{{GET[a]}}",
    "headers-files/page.sub.html.headers": b"X-A: {{host}}\n",
    "headers-files/both.sub.html": b"<p>{{host}}",
    "headers-files/both.sub.html.sub.headers": b"X-A: {{host}}\n",
    "headers-files/odd name;é.txt": _TEXT,
    "headers-files/odd name;é.txt.headers": b"X-A: 1\n",
    # Templates.
    **{f"templates/{name}.sub.txt": data for name, data in TEMPLATES.items()},
    **{f"templates/bad/{name}.sub.txt": data for name, data in BAD_TEMPLATES.items()},
    **{f"templates/configured/{name}.sub.txt": data for name, data in CONFIGURED_TEMPLATES.items()},
    **{f"templates/configured/bad/{name}.sub.txt": data
       for name, data in BAD_CONFIGURED_TEMPLATES.items()},
    "templates/configured/headers.txt": _TEXT,
    "templates/configured/headers.txt.sub.headers":
        b"Access-Control-Allow-Origin: http://{{hosts[alt][www]}}:{{ports[http][0]}}\n",
    **{f"templates/names/{name}": ESCAPED for name in NAMES_OF_TEMPLATES},
    "templates/tokens.txt": b"{{host}} {{GET[a]}}\n",
    "templates/tokens.html": b"{{host}} {{GET[a]}}\n",
    "templates/unknown.txt": b"{{unknown}}\n",
    "templates/handler.sub.py": b"def main(request, response):\n"
                                b"    return [('X-A', '{{host}}')], '{{host}} {{GET[a]}}'\n",
    "templates/large.sub.txt": b"x" * (1 << 19) + b"{{host}}" + b"y" * (1 << 19),
    "templates/large-binary.sub.txt": bytes(range(256)) * (4 << 10),
    "templates/many.sub.txt": b"{{host}}\n" * 5000,
    "templates/many-braces.sub.txt": b"{{" * 1000,
    "root.sub.txt": b"{{fs_path(x)}} {{location[path]}}",
    # Ranges.
    "ranges/digits.txt": b"0123456789",
    "ranges/one.txt": b"1",
    "ranges/empty.txt": b"",
    "ranges/page.html": b"<p>0123456789</p>\n",
    "ranges/typed.txt": b"0123456789",
    "ranges/typed.txt.headers": b"Content-Type: text/one\nX-A: 1\nContent-Type: text/two\n",
    "ranges/untyped.txt": b"0123456789",
    "ranges/untyped.txt.headers": b"content-type:\nX-A: 1\n",
    "ranges/length.txt": b"0123456789",
    "ranges/length.txt.headers": b"Content-Length: 10\nContent-Range: own\n",
    "ranges/tokens.sub.txt": b"01{{host}}89{{host}}",
    "ranges/binary.bin": bytes(range(256)) * 300,
    "ranges/handler.py": b"def main(request, response):\n    return '0123456789'\n",
    "ranges/response.asis": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
    # Pipes.
    "pipes/digits.txt": b"0123456789",
    "pipes/empty.txt": b"",
    "pipes/tokens.txt": b"{{host}}",
    "pipes/page.html": b"<p>{{GET[a]}}</p>",
    "pipes/page.sub.html": b"<p>{{GET[a]}}</p>",
    "pipes/tokens.sub.txt": b"{{host}} {{GET[a]}}",
    "pipes/response.asis": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "pipes/folder/file.txt": b"text\n",
    "pipes/binary.bin": bytes(range(256)),
    "pipes/large.bin": bytes(range(256)) * 1200,
    **{f"pipes/{name}.txt": b"0123456789" for name in ["cache-control", "pragma", "expires"]},
    "pipes/cache-control.txt.headers": b"cache-control: max-age=9\n",
    "pipes/pragma.txt.headers": b"Pragma: own\n",
    "pipes/expires.txt.headers": b"Expires: \n",
    # As they are.
    **{f"asis/{name}.asis": data for name, data in ASIS.items()},
}


def write_files(doc_root: pathlib.Path) -> None:
    """Write all the files below `doc_root`."""
    for name, data in FILES.items():
        path = doc_root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
