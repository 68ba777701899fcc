"""`.asis` files: their bytes are the response, whatever they are, and the connection closes."""

from case import get, parametrize, pipeline, request, send
from docroot_static import ASIS

FILES = [get(f"asis-{name.replace('.', '-')}", f"/asis/{name}.asis") for name in ASIS] + [
    get("asis-line-feeds", "/asis/line-feeds.asis"),
    get("asis-http10", "/asis/http10.asis"),
    get("asis-missing", "/asis/none.asis"),
    get("asis-directory", "/asis/directory.asis"),
    get("asis-directory-slash", "/asis/directory.asis/"),
]

REQUESTS = [
    get("asis-query", "/asis/crlf.asis?a=b"),
    get("asis-range", "/asis/crlf.asis", ("Range", "bytes=0-3")),
    get("asis-if-none-match", "/asis/crlf.asis", ("If-None-Match", "*")),
    get("asis-keep-alive", "/asis/crlf.asis", ("Connection", "keep-alive")),
    get("asis-escaped-name", "/asis/%63rlf.asis"),
    get("asis-upper-case", "/asis/crlf.ASIS"),
    get("asis-dot-dot", "/asis/../asis/crlf.asis"),
    get("asis-trailing-slash", "/asis/crlf.asis/"),
    get("asis-escaped-suffix", "/asis/crlf%2Easis"),
    send("asis-http10-request", request("/asis/crlf.asis", version="HTTP/1.0")),
    send("asis-head", request("/asis/crlf.asis", "HEAD")),
    send("asis-head-line-feeds", request("/asis/line-feeds.asis", "HEAD")),
    send("asis-head-not-http", request("/asis/not-http.asis", "HEAD")),
    send("asis-head-missing", request("/asis/none.asis", "HEAD")),
    send("asis-post", request("/asis/crlf.asis", "POST", body=b"x")),
    send("asis-put", request("/asis/crlf.asis", "PUT", body=b"")),
    send("asis-options", request("/asis/crlf.asis", "OPTIONS")),
    send("asis-get-with-body", request("/asis/crlf.asis", "GET", body=b"unread")),
    pipeline("asis-pipelined", request("/asis/crlf.asis"), request("/static/page.html")),
]

# A pipe has nothing to work on here; what cannot be run still fails, after the bytes.
PIPES = [
    get(f"asis-pipe-{name}", f"/asis/crlf.asis?pipe={pipe}")
    for name, pipe in {
        "status": "status(404)", "header": "header(X-A,1)", "slice": "slice(1,2)", "sub": "sub",
        "gzip": "gzip", "trickle": "trickle(d0.01)", "empty": "",
    }.items()
] + [
    get("asis-pipe-sub-name", "/asis/tokens.sub.asis"),
    get("asis-pipe-fails-unknown", "/asis/crlf.asis?pipe=unknown"),
    get("asis-pipe-fails-arguments", "/asis/crlf.asis?pipe=status(x)"),
]


@parametrize(FILES)
def test_files(pair, case):
    pair.check(case)


@parametrize(REQUESTS)
def test_requests(pair, case):
    pair.check(case)


@parametrize(PIPES)
def test_pipes(pair, case):
    pair.check(case)
