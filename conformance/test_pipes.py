"""Pipes: their grammar, each pipe and its arguments, chains, and what they work on."""

from urllib.parse import quote

from case import Case, get, parametrize, request, send

DIGITS = "/pipes/digits.txt"


def _piped(id: str, pipe: str | bytes, path: str = DIGITS, **options) -> Case:
    pipe = pipe.encode() if isinstance(pipe, str) else pipe
    return get(f"pipe-{id}", path.encode() + b"?pipe=" + pipe, **options)


def _fails(id: str, pipe: str | bytes, path: str = DIGITS) -> Case:
    return _piped(f"fails-{id}", pipe, path)


GRAMMAR = [
    _piped(id, pipe)
    for id, pipe in {
        "escaped-comma": "header(X-A,a\\,b)", "escaped-parenthesis": "header(X-A,a\\)b)",
        "escaped-backslash": "header(X-A,a\\\\b)", "escaped-other": "header(X-A,\\x\\y\\(\\|)",
        "escaped-tab": "header(X-A,a\\tb)", "escaped-line-feed": "header(X-A,a\\nb)",
        "escaped-carriage-return": "header(X-A,a\\r\\nX-In:+b)", "escaped-name": "header(X\\-A,b)",
        "escape-at-argument-end": "header(X-A,b\\\\)",
        "percent-escaped-comma": "header(X-A,a%5C%2Cb)",
        "percent-everything": quote("header(X-A, b)|status(201)", safe=""),
        "percent-line-feed": "header(X-A,a%0Ab)", "percent-crlf": "header(X-A,a%0D%0AX-In:%20b)",
        "percent-nul": "header(X-A,a%00b)", "percent-ampersand": "header(X-A,a%26b)",
        "percent-hash": "header(X-A,a%23b)", "percent-percent": "header(X-A,a%2525b)",
        "percent-bad": "header(X-A,a%zz%b)", "percent-e9": "header(X-A,%C3%A9)",
        "raw-latin-1": b"header(X-A,\xe9)", "raw-utf-8": "header(X-A,é)".encode(),
        "raw-utf-8-wide": "header(X-A,天)".encode(), "plus": "header(X-A,a+b)",
        "percent-plus": "header(X-A,a%2Bb)", "equals": "header(X-A,a=b=c)",
        "question-mark": "header(X-A,a?b)", "semicolon": "header(X-A,a;b)",
        "quotes": "header(X-A,\"a'b`)", "braces": "header(X-A,{{host}})",
        "bar-inside": "header(X-A,a|b)", "parenthesis-inside": "header(X-A,(b)",
        "leading-space-of-value": "header(X-A,%20b)", "spaces-of-value": "header(X-A,%20b%20c%20)",
        "space-of-name": "header(%20X-A%20,b)", "unclosed": "header(X-A,b",
        "unclosed-after-comma": "header(X-A,", "bar-at-end": "header(X-A,b)|",
        "bar-at-start": "|header(X-A,b)", "bars": "header(X-A,b)||header(X-B,c)",
        "bars-only": "|||", "no-bar": "header(X-A,b)header(X-B,c)",
        "ends-in-name": "header(X-A,b)|sub",
        "empty": "", "hash": "header(X-A,b#c)", "ampersand": "header(X-A,b&c)",
        "no-parentheses": "sub",
    }.items()
]

PARAMETERS = [
    get(f"pipe-parameter-{id}", DIGITS + query)
    for id, query in {
        "last-wins": "?pipe=status(201)&pipe=status(202)", "last-empty": "?pipe=status(201)&pipe=",
        "first-empty": "?pipe=&pipe=status(201)", "no-value": "?pipe",
        "no-value-after": "?pipe=status(201)&pipe", "case": "?PIPE=status(201)",
        "escaped-name": "?p%69pe=status(201)", "plus-in-name": "?pi+pe=status(201)",
        "after-semicolon": "?a=1;pipe=status(201)",
        "among-others": "?a=1&pipe=status(201)&b=2", "empty-pairs": "?&&pipe=status(201)&&",
        "second-question-mark": "?a?pipe=status(201)", "name-with-equals": "?=pipe=status(201)",
        "pipes": "?pipes=status(201)", "escaped-equals": "?pipe%3Dstatus(201)",
        "escaped-question-mark": "%3Fpipe=status(201)", "in-fragment": "#?pipe=status(201)",
    }.items()
]

UNKNOWN = [
    _fails(id, pipe)
    for id, pipe in {
        "unknown": "unknown", "unknown-arguments": "tricle(d1)",
        "unknown-after-good": "sub|unknown",
        "escape-in-name": "sub\\|", "percent-comma": "header(X-A,a%2Cb)",
        "parameter-after": "status(201);a=1",
        "upper-case": "Sub", "leading-space": "+sub", "trailing-space": "sub+", "empty-name": "()",
        "space-before-parenthesis": "status+(200)", "closing-only": ")", "opening-only": "(",
        "after-close": "header(X-A,(b))", "escape-at-end": "header(X-A,b\\", "not-ascii": "%C3%A9",
        "not-utf-8": "%E9", "nul": "%00", "comma": "sub,sub", "dunder": "__class__",
        "sub-arguments": "sub(html,none)", "attribute": "pipe(x)", "long": "a" * 3000,
    }.items()
]

STATUS = [
    _piped(f"status-{id}", f"status({argument})")
    for id, argument in {
        "201": "201", "205": "205", "302": "302", "404": "404",
        "500": "500", "unknown": "299", "600": "600", "999": "999", "large": "99999", "zero": "0",
        "negative": "-5", "plus": "%2B201", "spaced": "+201+", "underscore": "2_01",
        "leading-zeros": "00201", "arabic-digits": "%D9%A2%D9%A0%D9%A1",
    }.items()
] + [
    _fails(f"status-{id}", pipe)
    for id, pipe in {
        "none": "status", "empty": "status()", "two": "status(200,OK)", "text": "status(OK)",
        "float": "status(200.5)", "hex": "status(0xC8)", "null": "status(null)",
        "spaces": "status(+)", "inside-space": "status(2+00)", "two-digits-signs": "status(--2)",
    }.items()
]

HEADER = [
    _piped(f"header-{id}", f"header({arguments})")
    for id, arguments in {
        "new": "X-A,b", "content-type": "Content-Type,text/x",
        "content-type-case": "content-TYPE,text/x",
        "content-type-append": "content-type,text/x,true", "append-new": "X-A,b,true",
        "append-upper-case": "X-A,b,TRUE", "append-1": "X-A,b,1", "append-0": "X-A,b,0",
        "append-false": "X-A,b,False", "empty-value": "X-A,", "empty-name": ",b", "both-empty": ",",
        "length-right": "Content-Length,10", "length-short": "Content-Length,4",
        "length-long": "Content-Length,50", "length-text": "Content-Length,many",
        "length-zero": "Content-Length,0", "connection-close": "Connection,close",
        "connection-keep-alive": "Connection,keep-alive", "date": "Date,yesterday",
        "server": "Server,mine", "chunked": "Transfer-Encoding,chunked", "location": "Location,/x",
        "name-with-space": "X+A,b", "name-with-colon": "X:A,b", "name-latin-1": "X-%C3%A9,b",
        "value-colon": "X-A,a:b:+c", "null": "X-A,null",
    }.items()
] + [
    _piped("header-append-twice", "header(X-A,1,true)|header(X-A,2,true)"),
    _piped("header-append-then-set", "header(X-A,1,true)|header(x-a,2)"),
    _piped("header-set-then-append", "header(X-A,1)|header(x-a,2,1)|header(X-B,3)|header(X-A,4,1)"),
    _piped("header-order", "header(X-B,1)|header(X-A,2)|header(X-C,3)|header(X-B,4)"),
    *[_fails(f"header-{id}", pipe)
      for id, pipe in {
          "none": "header", "empty": "header()", "one": "header(X-A)",
          "four": "header(X-A,b,true,c)",
          "append-other": "header(X-A,b,yes)", "append-empty": "header(X-A,b,)",
          "append-spaced": "header(X-A,b,+true)", "not-latin-1": "header(X-A,%E5%A4%A9)",
          "not-utf-8": "header(X-A,%E9)", "name-not-latin-1": "header(%E5%A4%A9,b)",
      }.items()],
]

SLICE = [
    _piped(f"slice-{id}", f"slice({arguments})")
    for id, arguments in {
        "start": "3", "both": "2,5", "null-start": "null,3", "null-upper-case": "NULL,3",
        "null-end": "4,null", "nulls": "null,null", "null": "null", "negative-start": "-3",
        "negative-both": "-5,-2", "negative-end": "0,-1", "reversed": "5,2", "empty": "3,3",
        "start-beyond": "100", "end-beyond": "5,100", "negative-beyond": "-100,4", "zero": "0",
        "huge": "99999999999999999999", "huge-negative": "-99999999999999999999,3",
        "spaced": "+2,+5+", "plus": "%2B2", "leading-zeros": "002,005",
    }.items()
] + [
    _piped("slice-of-slice", "slice(1)|slice(1)|slice(1,-1)"),
    _piped("slice-empty-file", "slice(0,5)", "/pipes/empty.txt"),
    _piped("slice-binary", "slice(120,140)", "/pipes/binary.bin"),
    _piped("slice-large", "slice(1000,-1000)", "/pipes/large.bin"),
    *[_fails(f"slice-{id}", pipe)
      for id, pipe in {
          "none": "slice", "empty": "slice()", "text": "slice(a)", "end-text": "slice(1,b)",
          "end-empty": "slice(1,)", "start-empty": "slice(,5)", "three": "slice(1,5,2)",
          "float": "slice(1.5)", "colon": "slice(1:5)", "null-spaced": "slice(+null)",
      }.items()],
]

GZIP = [
    _piped("gzip", "gzip"),
    _piped("gzip-twice", "gzip|gzip"),
    _piped("gzip-empty-file", "gzip", "/pipes/empty.txt"),
    _piped("gzip-large", "gzip", "/pipes/large.bin"),
    _piped("gzip-after-slice", "slice(2,5)|gzip"),
    _piped("gzip-then-slice", "gzip|slice(0,3)"),
    _piped("gzip-after-sub", "sub|gzip", "/pipes/tokens.txt"),
    _piped("gzip-then-header", "gzip|header(Content-Encoding,x-own)"),
    _piped("gzip-after-header", "header(content-ENCODING,own)|header(content-length,1)|gzip"),
    _piped("gzip-status", "status(203)|gzip"),
    _piped("gzip-template", "gzip", "/pipes/tokens.sub.txt"),
    get("pipe-gzip-accept-encoding-none", DIGITS + "?pipe=gzip", ("Accept-Encoding", "identity")),
    send("pipe-gzip-head", request(DIGITS + "?pipe=gzip", "HEAD"), mask=(rb"^ \d+$",)),
    _fails("gzip-empty", "gzip()"),
    _fails("gzip-argument", "gzip(9)"),
]


CHAINS = [
    _piped("chain-status-header", "status(302)|header(Location,/x)"),
    _piped("chain-sub-header", "sub|header(X-A,b)", "/pipes/tokens.txt"),
    _piped("chain-header-sub", "header(X-A,{{host}})|sub", "/pipes/tokens.txt"),
    _piped("chain-slice-sub", "slice(1)|sub", "/pipes/tokens.txt"),
    _piped("chain-sub-slice", "sub|slice(1,5)", "/pipes/tokens.txt"),
    _piped("chain-long", "|".join(f"header(X-{i},{i})" for i in range(100))),
    _piped("chain-status-twice", "status(404)|status(201)"),
]

# Statuses whose body no client expects: what is sent of it must not look like the next response.
BODILESS = [
    get(f"bodiless-{id}", f"{DIGITS}?pipe={pipe}")
    for id, pipe in {
        "204": "status(204)", "304": "status(304)", "101": "status(101)", "103": "status(103)",
        "204-header": "status(204)|header(X-A,b)", "304-sub": "sub|status(304)",
        "204-slice-nothing": "slice(0,0)|status(204)",
        "204-length": "status(204)|header(Content-Length,0)",
    }.items()
] + [
    get("bodiless-204-empty-file", "/pipes/empty.txt?pipe=status(204)"),
    get("bodiless-204-handler", "/pipes/empty.py?pipe=status(204)"),
]

TARGETS = [
    _piped("target-sub-name", "header(X-A,1)", "/pipes/page.sub.html"),
    get("pipe-target-sub-name-escapes", "/pipes/page.sub.html?a=<b>&pipe=status(201)"),
    get("pipe-target-sub-name-sub", "/pipes/page.sub.html?a=<b>&pipe=sub(none)"),
    get("pipe-target-html-sub", "/pipes/page.html?a=<b>&pipe=sub"),
    _piped("target-missing", "status(200)", "/pipes/none.txt"),
    _piped("target-listing", "status(404)|header(X-A,1)", "/pipes/folder/"),
    _piped("target-redirect", "status(404)", "/pipes/folder"),
    _piped("target-asis", "header(X-A,1)|status(404)", "/pipes/response.asis"),
    _piped("target-empty", "status(201)", "/pipes/empty.txt"),
    _piped("target-binary-sub", "sub", "/pipes/binary.bin"),
    _piped("target-large-header", "header(X-A,1)", "/pipes/large.bin"),
    _piped("target-headers-file", "header(X-A,1)", "/pipes/pragma.txt"),
    send("pipe-head", request(f"{DIGITS}?pipe=status(203)|header(X-A,1)", "HEAD")),
    send("pipe-head-slice", request(f"{DIGITS}?pipe=slice(2)", "HEAD")),
    send("pipe-head-sub", request("/pipes/tokens.txt?pipe=sub", "HEAD")),
    send("pipe-fails-head", request(f"{DIGITS}?pipe=unknown", "HEAD")),
    send("pipe-post", request(f"{DIGITS}?pipe=status(203)", "POST", body=b"")),
    send("pipe-fails-then-good", request(f"{DIGITS}?pipe=unknown"),
         request(f"{DIGITS}?pipe=slice(3)")),
    send("pipe-keep-alive", *[request(f"{DIGITS}?pipe=slice({i})") for i in range(3)]),
    send("pipe-http10", request(f"{DIGITS}?pipe=slice(3)", version="HTTP/1.0")),
    get("pipe-connection-close", f"{DIGITS}?pipe=slice(3)", ("Connection", "close")),
    get("pipe-range", f"{DIGITS}?pipe=slice(1)", ("Range", "bytes=2-6")),
]

# What a pipe does to a handler's response is the same whether it runs once or twice …
ONCE_OR_TWICE = [
    get(f"pipe-handler-{handler.replace('_', '-')}-{id}", f"/pipes/{handler}.py?a=b&pipe={pipe}")
    for handler in ["none", "text", "bytes", "pair", "triple", "generator", "list", "callable",
                    "file",
                    "empty", "not_latin", "length", "writer", "writer_raw", "writer_headers",
                    "error",
                    "http_error", "set_error", "token", "token_none"]
    for id, pipe in {
        "status": "status(201)", "header": "header(X-A,pipe)", "slice": "slice(0,4)",
        "sub": "sub(none)",
    }.items()
] + [
    get("pipe-handler-none-slice-start", "/pipes/none.py?pipe=slice(2)"),
    get("pipe-handler-none-append", "/pipes/none.py?pipe=header(X-A,1,true)"),
    get("pipe-handler-none-gzip", "/pipes/none.py?pipe=gzip"),
    get("pipe-handler-writer-gzip", "/pipes/writer.py?pipe=gzip"),
    get("pipe-handler-writer-unknown", "/pipes/writer.py?pipe=unknown"),
    get("pipe-handler-writer-raw-unknown", "/pipes/writer_raw.py?pipe=unknown"),
    get("pipe-handler-missing", "/pipes/missing.py?pipe=status(200)"),
    get("pipe-handler-text-empty", "/pipes/text.py?pipe="),
    send("pipe-handler-head", request("/pipes/text.py?pipe=slice(0,3)", "HEAD")),
    send("pipe-handler-post", request("/pipes/text.py?pipe=status(201)", "POST", body=b"x")),
    get("pipe-handler-range", "/pipes/text.py?pipe=status(201)", ("Range", "bytes=0-1")),
    *[get(f"pipe-fails-handler-{id}", f"/pipes/{handler}.py?pipe={pipe}")
      for id, handler, pipe in [
          ("unknown", "text", "unknown"), ("unknown-none", "none", "unknown"),
          ("arity", "pair", "status"), ("value", "none", "slice(x)"),
      ]],
]

# … and these are not: the reference runs them twice when `main` returned something.
TWICE = [
    get(f"pipe-twice-{id}", f"/pipes/{handler}.py?pipe={pipe}")
    for id, handler, pipe in [
        ("append", "text", "header(X-A,1,true)"), ("append-to-own", "pair", "header(X-A,1,true)"),
        ("slice", "text", "slice(2)"), ("slice-negative", "pair", "slice(1,-1)"),
        ("gzip", "text", "gzip"), ("set-then-append", "text", "header(X-A,1)|header(X-A,2,true)"),
    ]
] + [get("pipe-twice-sub", "/pipes/token.py?a=%7B%7Burl_base%7D%7D&pipe=sub(none)")]


@parametrize(GRAMMAR)
def test_grammar(pair, case):
    pair.check(case)


@parametrize(PARAMETERS)
def test_parameters(pair, case):
    pair.check(case)


@parametrize(UNKNOWN)
def test_unknown(pair, case):
    pair.check(case)


@parametrize(STATUS)
def test_status(pair, case):
    pair.check(case)


@parametrize(HEADER)
def test_header(pair, case):
    pair.check(case)


@parametrize(SLICE)
def test_slice(pair, case):
    pair.check(case)


@parametrize(GZIP)
def test_gzip(pair, case):
    pair.check(case)


@parametrize(CHAINS)
def test_chains(pair, case):
    pair.check(case)


@parametrize(BODILESS)
def test_bodiless(pair, case):
    pair.check(case)


@parametrize(TARGETS)
def test_targets(pair, case):
    pair.check(case)


@parametrize(ONCE_OR_TWICE)
def test_handlers(pair, case):
    pair.check(case)


@parametrize(TWICE)
def test_handlers_once(pair, case):
    pair.check(case)
