"""Ranges of files: which bytes, in which parts, and what is refused."""

from case import get, parametrize, request, send

DIGITS = "/ranges/digits.txt"


def _ranged(id: str, value: str | bytes, path: str = DIGITS, **options):
    return get(f"range-{id}", path, ("Range", value), **options)


SINGLE = [
    _ranged(id, value)
    for id, value in {
        "first-byte": "bytes=0-0", "prefix": "bytes=0-4", "inside": "bytes=3-6",
        "last-byte": "bytes=9-9", "whole": "bytes=0-9", "open": "bytes=4-",
        "open-from-0": "bytes=0-",
        "open-last": "bytes=9-", "suffix": "bytes=-3", "suffix-one": "bytes=-1",
        "suffix-whole": "bytes=-10", "suffix-beyond": "bytes=-100", "end-beyond": "bytes=5-100",
        "end-huge": "bytes=5-99999999999999999999999", "no-ends": "bytes=-",
        "spaces-around": "bytes= 2 - 4 ", "tab": "bytes=2-\t4", "plus": "bytes=+2-+4",
        "leading-zeros": "bytes=002-004", "underscore": "bytes=0-0_5",
    }.items()
]

SEVERAL = [
    _ranged(id, value)
    for id, value in {
        "two": "bytes=0-1,4-5", "two-spaced": "bytes=0-1, 4-5", "three": "bytes=0-0,3-3,7-8",
        "out-of-order": "bytes=7-8,0-1", "out-of-order-three": "bytes=4-4,8-9,0-0",
        "overlapping": "bytes=0-4,3-7", "adjacent": "bytes=0-2,3-5", "gap-of-one": "bytes=0-2,4-5",
        "same": "bytes=1-2,1-2", "same-start": "bytes=0-1,0-5",
        "same-start-longer-first": "bytes=0-5,0-1",
        "inside-other": "bytes=0-8,2-3", "inside-other-then-more": "bytes=0-5,2-3,8-9",
        "overlapping-and-apart": "bytes=0-2,2-4,8-9", "chain": "bytes=0-1,2-3,4-5,6-7",
        "suffix-and-prefix": "bytes=-2,0-1", "suffix-overlapping": "bytes=5-,-2",
        "open-and-prefix": "bytes=8-,0-1", "all-and-one": "bytes=-,3-3",
        "many": "bytes=" + ",".join(f"{i}-{i}" for i in range(0, 10, 2)),
        "repeated-many": "bytes=" + ",".join(["0-1", "5-6"] * 200),
    }.items()
]

REFUSED = [
    _ranged(f"bad-{id}", value)
    for id, value in {
        "start-at-end": "bytes=10-", "start-beyond": "bytes=50-60", "suffix-zero": "bytes=-0",
        "reversed": "bytes=5-3", "one-of-two": "bytes=0-1,50-60", "empty-list": "bytes=",
        "trailing-comma": "bytes=0-1,", "leading-comma": "bytes=,0-1", "only-comma": "bytes=,",
        "no-dash": "bytes=5", "two-dashes": "bytes=1-2-3", "negative": "bytes=--3",
        "letters": "bytes=a-b", "letter-end": "bytes=1-b", "decimal": "bytes=1.5-3",
        "hex": "bytes=0x1-3",
        "semicolon": "bytes=0-1;4-5", "unit-other": "items=0-4", "unit-upper-case": "Bytes=0-4",
        "unit-spaced": "bytes =0-4", "unit-only": "bytes", "unit-none": "0-4", "empty": "",
        "quotes": 'bytes="0-4"', "html": "bytes=<b>-&",
    }.items()
] + [
    _ranged("fails-not-ascii", b"bytes=0-\xe9"),
    _ranged("fails-not-ascii-unit", b"b\xffytes=0-1"),
    _ranged("fails-utf-8-digit", "bytes=0-٣".encode()),
]

FILES = [
    _ranged("empty-file", "bytes=0-", "/ranges/empty.txt"),
    _ranged("empty-file-suffix", "bytes=-1", "/ranges/empty.txt"),
    _ranged("empty-file-no-ends", "bytes=-", "/ranges/empty.txt"),
    _ranged("one-byte-file", "bytes=0-", "/ranges/one.txt"),
    _ranged("one-byte-file-suffix", "bytes=-5", "/ranges/one.txt"),
    _ranged("missing-file", "bytes=0-1", "/ranges/none.txt"),
    _ranged("listing", "bytes=0-1", "/ranges/"),
    _ranged("redirect", "bytes=0-1", "/ranges"),
    _ranged("html", "bytes=0-1,4-5", "/ranges/page.html"),
    _ranged("big-file", "bytes=1000000-1000099", "/static/big.bin"),
    _ranged("big-file-open", "bytes=1000000-", "/static/big.bin"),
    _ranged("big-file-several", "bytes=0-99999,1000000-1099999", "/static/big.bin"),
    _ranged("binary-several", "bytes=0-300,1000-1300", "/ranges/binary.bin"),
    _ranged("headers", "bytes=0-1", "/ranges/typed.txt"),
    _ranged("headers-several", "bytes=0-1,4-5", "/ranges/typed.txt"),
    _ranged("headers-empty-type-several", "bytes=0-1,4-5", "/ranges/untyped.txt"),
    _ranged("headers-length", "bytes=2-4", "/ranges/length.txt"),
    _ranged("headers-bad", "bytes=99-", "/ranges/typed.txt"),
    _ranged("template", "bytes=0-9", "/ranges/tokens.sub.txt"),
    _ranged("template-several", "bytes=0-9,12-19", "/ranges/tokens.sub.txt"),
    _ranged("template-beyond-file", "bytes=30-", "/ranges/tokens.sub.txt"),
    _ranged("handler", "bytes=0-1", "/ranges/handler.py"),
    _ranged("asis", "bytes=0-1", "/ranges/response.asis"),
]

PIPES = [
    _ranged(f"pipe-{id}", value, f"{DIGITS}?pipe={pipe}")
    for id, value, pipe in [
        ("status", "bytes=2-4", "status(200)"), ("header", "bytes=2-4", "header(X-A,1)"),
        ("content-range", "bytes=2-4", "header(Content-Range,own)"),
        ("slice", "bytes=2-6", "slice(1,3)"), ("sub", "bytes=2-4", "sub"),
        ("gzip", "bytes=2-4", "gzip"),
        ("header-several", "bytes=0-1,4-5", "header(X-A,1)"),
        ("sub-several", "bytes=0-1,4-5", "sub"), ("gzip-several", "bytes=0-1,4-5", "gzip"),
        ("bad-status", "bytes=99-", "status(200)"),
    ]
] + [
    _ranged("pipe-trickle", "bytes=2-6", f"{DIGITS}?pipe=trickle(2:d0.02:r2)", quiet=2.0),
    _ranged("pipe-trickle-several", "bytes=0-1,4-5", f"{DIGITS}?pipe=trickle(20:d0.02:r2)",
            quiet=2.0),
    _ranged("fails-pipe-unknown", "bytes=0-1", f"{DIGITS}?pipe=unknown"),
]

REQUESTS = [
    send("range-head", request(DIGITS, "HEAD", [("Range", "bytes=2-4")])),
    send("range-head-several", request(DIGITS, "HEAD", [("Range", "bytes=0-1,4-5")])),
    send("range-head-several-own-length",
         request("/ranges/length.txt", "HEAD", [("Range", "bytes=0-1,4-5")])),
    send("range-head-bad", request(DIGITS, "HEAD", [("Range", "bytes=99-")])),
    send("range-post", request(DIGITS, "POST", [("Range", "bytes=2-4")], b"")),
    send("range-http10", request(DIGITS, "GET", [("Range", "bytes=2-4")], version="HTTP/1.0")),
    send("range-keep-alive", *[request(DIGITS, "GET", [("Range", "bytes=2-4")])] * 2),
    send("range-bad-then-good", request(DIGITS, "GET", [("Range", "bytes=99-")]),
         request(DIGITS, "GET", [("Range", "bytes=2-4")])),
    get("range-twice", DIGITS, ("Range", "bytes=2-4"), ("Range", "bytes=6-8")),
    get("range-name-case", DIGITS, ("rANGE", "bytes=2-4")),
    get("range-if-range-etag", DIGITS, ("Range", "bytes=2-4"), ("If-Range", '"other"')),
    get("range-if-range-date", DIGITS, ("Range", "bytes=2-4"),
        ("If-Range", "Thu, 01 Jan 1970 00:00:00 GMT")),
    get("range-if-modified-since", DIGITS, ("Range", "bytes=2-4"),
        ("If-Modified-Since", "Thu, 01 Jan 2099 00:00:00 GMT")),
    get("range-if-none-match", DIGITS, ("Range", "bytes=2-4"), ("If-None-Match", "*")),
    get("range-if-match", DIGITS, ("Range", "bytes=2-4"), ("If-Match", '"none"')),
    get("range-accept-encoding", DIGITS, ("Range", "bytes=2-4"), ("Accept-Encoding", "gzip")),
    get("range-connection-close", DIGITS, ("Range", "bytes=2-4"), ("Connection", "close")),
]


@parametrize(SINGLE)
def test_single(pair, case):
    pair.check(case)


@parametrize(SEVERAL)
def test_several(pair, case):
    pair.check(case)


@parametrize(REFUSED)
def test_refused(pair, case):
    pair.check(case)


@parametrize(FILES)
def test_files(pair, case):
    pair.check(case)


@parametrize(PIPES)
def test_pipes(pair, case):
    pair.check(case)


@parametrize(REQUESTS)
def test_requests(pair, case):
    pair.check(case)
