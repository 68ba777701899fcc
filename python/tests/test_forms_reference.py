"""Request bodies as forms, compared with the reference: the odd, the broken and the random."""

from __future__ import annotations

import random

import pytest
from test_forms import FINAL, MULTIPART, URLENCODED, part, post

from wptserve._multipart import PartReader
from wptserve.cgi import parse_header

CONTENT_TYPES = [
    "a",
    "a; b=c",
    'a; B = "c;d" ; e=f',
    'a; b="c\\"d"',
    'a; b="c;d',
    ";",
    "a;b",
    "",
    'a; b="\\\\"; c=d',
    "a; b=c; b=d",
    'form-data; name="x\xe9"; filename=""',
    'a; "=";b=c',
    'a;b="x" y;c=d',
    'a; b=\\"; c=d"',
    'a; b="',
]


def test_header_parameters_match_the_reference(reference):
    answers = reference([("header", (line,)) for line in CONTENT_TYPES])
    assert [list(parse_header(line)) for line in CONTENT_TYPES] == answers


def cases():
    named, upload = part('name="a"', "1"), part('name="f"; filename="n"', "x\ny")
    both = named + upload
    for kind in (
        None,
        URLENCODED,
        URLENCODED + "; charset=utf-8",
        "text/plain",
        "application/json",
        "",
        "multipart/form-data",
        "Multipart/form-data; boundary=b",
        "multipart/; boundary=b",
        'multipart/mixed; boundary="b"; x=y',
        "multipart/form-data; boundary=b\xe9",
    ):
        for body in (b"", b"a=1&b=%zz&a=\xe9+;", both + FINAL):
            yield kind, body
    bodies = [
        both + FINAL,
        both + b"--b--",
        both,
        both + b"--b",
        both + b"--b\r\n",
        both + b"--b-",
        b"--b",
        b"preamble\r\n\r\n" + both + FINAL,
        both + FINAL + b"epilogue\r\n--b\r\n",
        b"  --b  \r\n",
        b"  --b \r\n\r\nx\r\n--b--",
        b"x--b\r\n" + both + FINAL,
        FINAL + both,
        b"--b--\r\n--b\r\n",
        (both + FINAL).replace(b"\r\n", b"\n"),
        both.replace(b"--b\r\n", b"--b \t\r\n") + b"--b--  ",
        both.replace(b"--b\r\n", b" --b\r\n"),
        part('name="a"', "") + FINAL,
        part('name="a"', "\r\n") + FINAL,
        part('name="a"', "x\r") + FINAL,
        part('name="a"', "x\n") + FINAL,
        part('name="a"', "--b x") + FINAL,
        part('name="a"', "x--b") + FINAL,
        part('name="a"', "\r\n\r\n--bb\r\n-\r--b--x") + FINAL,
        b'--b\r\nContent-Disposition: x; name="a"\r\n\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: x; name="a"\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: x; name="a"',
        b'--b\r\nContent-Disposition: x; name="a"\r\n\r\nabc\r',
        b'--b\r\nContent-Disposition: x; name="a"\r\n\r\nabc\n',
        b'--b\r\nContent-Disposition: x; name="a"\r\n\r\nabc\r\n',
        b'--b\r\nContent-Disposition: x; name="a"\r\n\r\nabc\r\n--',
        b"--b\r\n\r\nnameless\r\n--b--",
        b"--b\r\nnot a header\r\n\r\nx\r\n--b--",
        b'--b\r\nbad line\r\nContent-Disposition: x; name="a"\r\n\r\nx\r\n--b--',
        b'--b\r\nContent-Disposition: x;\r\n name="a"\r\n\r\nx\r\n--b--',
        b'--b\r\nContent-Disposition: x; name="a"\r\n \r\nx\r\n--b--',
        b'--b\r\nContent-Disposition: x; name="a"\rX: y\r\n\r\nx\r\n--b--',
        b'--b\r\ncontent-disposition : x; name="a"\r\n\r\nx\r\n--b--',
        b"--b\r\nContent-Disposition:x;NAME=a\r\nContent-Disposition: y; name=b\r\n\r\nx\r\n--b--",
        b'--b\r\n: x\r\nContent-Disposition: x; name="a"\r\n\r\nx\r\n--b--',
        part('name="a\xe9;\\"b"; filename="C:\\dir\\\xff"', "x") + FINAL,
        part('name="a"; filename=""', "x") + FINAL,
        part('name="a"; filename', "x") + FINAL,
        part("name=; filename=n", "x") + FINAL,
        part("name=\"a\"; filename*=utf-8''n", "x") + FINAL,
        part('name="a"', "1", "Content-Length: 5") + upload + FINAL,
        part('name="f"; filename="n"', "1", "Content-Length: 9", "X-A:  b ", "X-a: c") + FINAL,
        part('name="f"; filename="n"', "1", "Content-Type: text/plain;charset=utf-8") + FINAL,
        part('name="f"; filename="n"', "1", "Content-Type: message/rfc822") + FINAL,
        part('name="f"; filename="n"', "1", "Content-Type:") + FINAL,
        part('name="f"; filename="n"', "1", "Folded: a\r\n\tb") + FINAL,
        part('name="f"; filename="n"', "a=1&c=2", "Content-Type: " + URLENCODED) + named + FINAL,
        part('name="f"', "a=1", "Content-Type: " + URLENCODED) + FINAL,
        part('name="f"; filename="n"', "x", "Content-Type: multipart/mixed") + FINAL,
        part('name="f"; filename="n"', "\xe9" * 2000) + named + FINAL,
        part('name="a"', "\xe9\r\n" * 2000) + upload + FINAL,
    ]
    inner = '--i\r\nContent-Disposition: x; name="y"\r\n\r\n1\r\n--i--'
    for filename in ("", '; filename="n"'):
        for end in ("--i--", "--i--\r\n--b--", ""):
            yield (
                MULTIPART,
                part(
                    f'name="f"{filename}',
                    inner[:-5] + end,
                    "Content-Type: multipart/mixed; boundary=i",
                )
                + named
                + FINAL,
            )
    for body in bodies:
        yield MULTIPART, body
    # Around the 64 KiB up to which the reference reads a line.
    for size in (65533, 65534, 65535, 65536, 65537, 131071, 131072):
        for tail in ("", "\r", "\n", "\r\n", "\r\n--b", "\n--b--x", "--b"):
            yield MULTIPART, part('name="f"; filename="n"', "x" * size + tail) + named + FINAL
            yield MULTIPART, part('name="f"; filename="n"', "x" * size + tail)[:-2]


def fuzzed():
    chosen = random.Random(7)
    pieces = [
        b"--b",
        b"--b--",
        b"\r\n",
        b"\n",
        b"\r",
        b"x",
        b" ",
        b"-",
        b"--",
        b"\xe9",
        b":",
        b";",
        b"=",
        b'Content-Disposition: form-data; name="a"',
        b'; filename="n"',
        b"\r\n\r\n",
        b"--i",
        b"--i--",
        b"Content-Type: multipart/mixed; boundary=i",
        b"Content-Type: text/plain",
        b"\r\n--b\r\n",
        b'--b\r\nContent-Disposition: form-data; name="c"\r\n\r\n',
    ]
    for _ in range(1500):
        yield MULTIPART, b"--b\r\n" + b"".join(chosen.choices(pieces, k=chosen.randrange(14)))


def outcome(kind, body, method):
    def inner(value):
        if isinstance(value, list):
            return [[item.name, item.filename, inner(item.value)] for item in value]
        return value.decode("latin-1") if isinstance(value, bytes) else value

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
            "headers": [list(item) for item in value.headers.items()],
            "text": str(value.headers),
            "value": inner(value.value),
        }

    try:
        fields = post(body, kind, method)
    except Exception as error:
        return {"raises": type(error).__name__}
    return {
        name.decode("latin-1"): [describe(value) for value in values]
        for name, values in fields.items()
    }


@pytest.mark.parametrize("block", [32, 65536, PartReader._BLOCK])
def test_bodies_match_the_reference(reference, monkeypatch, block):
    # A small block puts every boundary across the edge of one.
    monkeypatch.setattr(PartReader, "_BLOCK", block)
    asked = [(method, kind, body) for kind, body in cases() for method in ("POST", "PUT")]
    asked += [("POST", kind, body) for kind, body in fuzzed()]
    answers = reference([("post", (m, kind, body.decode("latin-1"))) for m, kind, body in asked])
    for (method, kind, body), expected in zip(asked, answers, strict=True):
        assert outcome(kind, body, method) == expected, (method, kind, body[:300], body[-300:])
