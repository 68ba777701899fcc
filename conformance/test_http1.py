"""HTTP/1 itself: methods, versions, targets, connections, and requests that are none."""

from case import get, parametrize, pipeline, request, send, steps

METHODS = [
    *[send(f"method-{method.lower()}", request("/http1/echo.py", method, body=b"b"))
      for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "M-SEARCH"]],
    send("method-head", request("/http1/echo.py", "HEAD")),
    send("method-lower-case", request("/http1/echo.py", "get")),
    send("method-chicken", request("/http1/echo.py", "CHICKEN")),
    send("method-odd-characters", request("/http1/echo.py", "!#$%&'*+-.^_`|~")),
    send("method-not-a-token", request("/http1/echo.py", "G@T")),
    send("method-long", request("/http1/echo.py", "M" * 1000)),
    send("method-options-star", request("*", "OPTIONS")),
    send("method-connect", request("example.test:443", "CONNECT")),
    send("method-connect-path", request("/returns/bytes.py", "CONNECT")),
    send("method-trace-line", request("/http1/trace.py?a=b", "TRACE")),
]

TARGETS = [
    get("host", "/http1/url.py"),
    send("host-without-port", request("/http1/url.py", host=b"example.test")),
    send("host-missing", request("/http1/url.py", host=None)),
    send("host-empty", request("/http1/url.py", host=b"")),
    send("host-own-port", request("/http1/url.py", host=b"127.0.0.1:@PORT@")),
    send("host-upper-case", request("/http1/url.py", host=b"EXAMPLE.test:99")),
    send("host-ipv6", request("/http1/url.py", host=b"[::1]:8000")),
    send("host-bad-port", request("/http1/url_bad_port.py", host=b"example.test:abc")),
    send("host-two-ports", request("/http1/url_bad_port.py", host=b"example.test:1:2")),
    send("host-empty-port", request("/http1/url.py", host=b"example.test:")),
    send("host-userinfo", request("/http1/url.py", host=b"user:pw@example.test")),
    send("host-latin-1", request("/http1/url.py", host=b"\xe9.test:80")),
    get("host-twice", "/http1/url.py", ("Host", "second.test")),
    get("target-absolute", "http://other.test:81/http1/url.py?a=b"),
    get("target-absolute-no-path", "http://other.test"),
    get("target-absolute-upper-case", "HTTP://other.test/http1/url.py"),
    get("target-absolute-https", "https://other.test/http1/url.py"),
    get("target-no-slash", "http1/url.py"),
    get("target-query-only", "?a=b"),
    get("target-empty-segments", "///http1/url.py"),
    get("target-with-control", b"/http1/url.py?\x01\x7f"),
    *[get(f"field-with-control-{code}", "/request/headers_items.py", ("X-A", b"a%cb" % code))
      for code in (1, 8, 14, 27, 31, 127)],
    get("target-with-tab", b"/http1/url.py?a\tb"),
    get("target-raw-bytes", b"/http1/url.py?\xff\xfe"),
    get("target-64k-query", "/http1/query_length.py?" + "q" * 65000),
]

CONNECTIONS = [
    send("keep-alive-two", request("/http1/keep.py?1"), request("/http1/keep.py?2")),
    send("keep-alive-ten", *[request(f"/http1/keep.py?{n}") for n in range(10)]),
    send("keep-alive-after-404", request("/static/none"), request("/http1/keep.py?2")),
    send("keep-alive-after-redirect", request("/returns/triple.py"), request("/http1/keep.py?2")),
    send("keep-alive-head-then-get", request("/http1/keep.py?1", "HEAD"),
         request("/http1/keep.py?2")),
    pipeline("pipeline-three", *[request(f"/http1/keep.py?{n}") for n in range(3)]),
    pipeline("pipeline-slow-first", request("/http1/slow.py"), request("/http1/keep.py?2")),
    pipeline("pipeline-close-in-the-middle", request("/http1/keep.py?1"),
             request("/http1/keep.py?2", headers=[("Connection", "close")]),
             request("/http1/keep.py?3")),
    pipeline("pipeline-after-error", request("/errors/value_error.py"), request("/http1/keep.py?2")),
    get("connection-close", "/http1/keep.py?1", ("Connection", "close")),
    get("connection-close-upper-case", "/http1/keep.py?1", ("connection", "CLOSE")),
    get("connection-keep-alive", "/http1/keep.py?1", ("Connection", "keep-alive")),
    get("connection-list", "/http1/keep.py?1", ("Connection", "close, x-other")),
    get("connection-upgrade", "/http1/keep.py?1", ("Connection", "Upgrade"), ("Upgrade", "h2c")),
    send("http10", request("/http1/echo.py", version="HTTP/1.0")),
    send("http10-no-host", request("/http1/echo.py", version="HTTP/1.0", host=None)),
    send("http10-keep-alive",
         request("/http1/echo.py", version="HTTP/1.0", headers=[("Connection", "keep-alive")])),
    send("http10-post", request("/http1/echo.py", "POST", version="HTTP/1.0", body=b"b")),
    send("http09", b"GET /http1/keep.py?1\r\n", quiet=0.3),
    send("http09-post", b"POST /http1/keep.py?1\r\n"),
    send("blank-line-before", b"\r\n" + request("/http1/keep.py?1"), quiet=0.3),
    send("half-close", request("/http1/keep.py?1"), half_close=True, quiet=0.2),
    steps("head-in-pieces", [b"GET"], (b"GET /http1/ke", 0), (b"ep.py?1 HTT", 0),
          (b"P/1.1\r\nHost: h\r", 0), (b"\n\r\n", 1), quiet=0.03),
]

EXPECT = [("Expect", "100-continue"), ("Content-Length", "4")]

CONTINUE = [
    steps("expect-continue", [b"POST"], (request("/http1/echo.py", "POST", EXPECT), 1),
          (b"body", 1)),
    steps("expect-continue-upper-case", [b"POST"],
          (request("/http1/echo.py", "POST", [("Expect", "100-CONTINUE"), EXPECT[1]]), 1),
          (b"body", 1)),
    steps("expect-continue-handler-does-not-read", [b"POST"],
          (request("/body/not_read.py", "POST", EXPECT), 1), (b"body", 1)),
    send("expect-continue-body-at-once", request("/http1/echo.py", "POST", EXPECT) + b"body"),
    get("expect-continue-no-body", "/http1/echo.py", ("Expect", "100-continue")),
    send("expect-continue-http10",
         request("/http1/echo.py", "POST", EXPECT, version="HTTP/1.0") + b"body"),
    get("expect-other", "/http1/echo.py", ("Expect", "a-miracle")),
    send("expect-continue-static", request("/static/page.html", "POST", EXPECT) + b"body"),
]


def _fields(count: int) -> list[tuple[str, str]]:
    return [(f"X-{n}", "v") for n in range(count)]


MALFORMED = [
    get("limit-500-fields", "/http1/count_headers.py", *_fields(500)),
    get("limit-511-fields", "/http1/count_headers.py", *_fields(511)),
    get("limit-512-fields", "/http1/count_headers.py", *_fields(512)),
    get("limit-1000-fields", "/http1/count_headers.py", *_fields(1000)),
    get("limit-field-of-60000", "/http1/header_length.py", ("X-Long", "v" * 60000)),
    get("limit-field-of-70000", "/http1/header_length.py", ("X-Long", "v" * 70000)),
    get("limit-line-of-70000", "/http1/query_length.py?" + "q" * 70000),
    send("malformed-version-2", request("/http1/echo.py", version="HTTP/2.0")),
    send("malformed-version-12", request("/http1/echo.py", version="HTTP/1.2")),
    send("malformed-version-0", request("/http1/echo.py", version="HTTP/0.9")),
    send("malformed-version-text", request("/http1/echo.py", version="HTTP/x.y")),
    send("malformed-version-lower-case", request("/http1/echo.py", version="http/1.1")),
    send("malformed-version-long", request("/http1/echo.py", version="HTTP/1.11111111111")),
    send("malformed-version-name", request("/http1/echo.py", version="XTTP/1.1")),
    send("malformed-version-no-minor", request("/http1/echo.py", version="HTTP/1")),
    send("malformed-four-words", b"GET / a HTTP/1.1\r\nHost: h\r\n\r\n"),
    send("malformed-one-word", b"GARBAGE\r\n\r\n"),
    send("malformed-html-in-line", b"<script>&\"' / HTTP/9.9\r\n\r\n"),
    send("malformed-nul", b"GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"),
    send("malformed-binary", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    send("malformed-leading-space", b" GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    send("malformed-double-spaces",
         b"GET  /http1/echo.py  HTTP/1.1\r\nHost: h\r\n\r\n"),
    send("malformed-tabs", b"GET\t/http1/echo.py\tHTTP/1.1\r\nHost: h\r\n\r\n"),
    send("malformed-cr-only", b"GET / HTTP/1.1\rHost: h\r\r", half_close=True, quiet=0.2),
    send("malformed-cut-head", b"GET /http1/echo.py HTTP/1.1\r\nHost: h\r\n", half_close=True,
         quiet=0.2),
    send("malformed-cut-line", b"GET /http1/ec", half_close=True, quiet=0.2),
    send("malformed-nothing", b"", half_close=True, quiet=0.1),
    send("malformed-field-name",
         b"GET /http1/count_headers.py HTTP/1.1\r\nHost: h\r\nX(): 1\r\n\r\n"),
    send("malformed-empty-name",
         b"GET /http1/count_headers.py HTTP/1.1\r\nHost: h\r\n: 1\r\n\r\n"),
    send("malformed-nul-in-value",
         b"GET /http1/count_headers.py HTTP/1.1\r\nHost: h\r\nX-A: \0\r\n\r\n"),
    send("malformed-first-field-folded",
         b"GET /http1/count_headers.py HTTP/1.1\r\n Host: h\r\n\r\n"),
    send("malformed-then-good", b"BAD\r\n\r\n" + request("/http1/keep.py?1")),
]


@parametrize(METHODS)
def test_methods(pair, case):
    pair.check(case)


@parametrize(TARGETS)
def test_targets(pair, case):
    pair.check(case)


@parametrize(CONNECTIONS)
def test_connections(pair, case):
    pair.check(case)


@parametrize(CONTINUE)
def test_continue(pair, case):
    pair.check(case)


@parametrize(MALFORMED)
def test_malformed(pair, case):
    pair.check(case)
