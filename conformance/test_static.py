"""Files served as they are: types, names, methods, and what is not found."""

from urllib.parse import quote

from case import get, parametrize, request, send
from docroot_extras import ODD_NAMES

EXTENSIONS = [
    "html", "htm", "xht", "xhtml", "xml", "json", "wasm", "xpi", "m4a", "mp3", "oga", "weba",
    "wav", "avif", "bmp", "gif", "jpg", "jpeg", "png", "svg", "manifest", "css", "event_stream",
    "js", "mjs", "md", "txt", "vtt", "mp4", "m4v", "webm", "webp", "woff2", "ttf", "ico", "ogg",
    "ogv", "pdf", "webmanifest", "sxg", "HTML", "Js", "tar.gz",
]

TYPES = [
    *[get(f"static-type-{extension}", f"/static/types/file.{extension}")
      for extension in EXTENSIONS],
    get("static-type-only-extension", "/static/types/.html"),
    get("static-type-trailing-dot", "/static/types/trailing."),
    get("static-type-none", "/static/no_extension"),
]

FILES = [
    get("static-page", "/static/page.html"),
    get("static-query", "/static/page.html?a=b&c"),
    get("static-empty", "/static/empty.txt"),
    get("static-every-byte", "/static/bytes.txt"),
    get("static-2-mib", "/static/big.bin"),
    get("static-link", "/static/link.html"),
    get("static-linked-directory", "/static/linked-directory/inner.txt"),
    get("static-broken-link", "/static/broken-link.txt"),
    get("static-source-suffix", "/static/source.py.txt"),
    get("static-if-modified-since", "/static/page.html",
        ("If-Modified-Since", "Thu, 01 Jan 2099 00:00:00 GMT"), ("If-None-Match", "*")),
    get("static-accept-encoding", "/static/page.html", ("Accept-Encoding", "gzip, br")),
    get("static-connection-close", "/static/page.html", ("Connection", "close")),
    send("static-http10", request("/static/page.html", version="HTTP/1.0")),
    *[get(f"static-name-{index}", "/static/odd/" + quote(name))
      for index, name in enumerate(ODD_NAMES)],
    get("static-name-percent", "/static/with%2520percent.txt"),
    get("static-name-percent-decoded", "/static/with%20percent.txt"),
    get("static-name-raw-utf8", "/static/odd/élève.txt".encode()),
    get("static-name-raw-space", b"/static/odd/a b.txt"),
    get("static-name-bad-utf8", "/static/odd/%E9l%E8ve.txt"),
    get("static-name-parameters", "/static/odd/semi;colon.txt"),
]

HEAD = [
    send("static-head", request("/static/page.html", "HEAD")),
    send("static-head-empty", request("/static/empty.txt", "HEAD")),
    send("static-head-missing", request("/static/none.html", "HEAD")),
    send("static-head-directory", request("/static/sub/", "HEAD")),
    send("static-head-redirect", request("/static/sub", "HEAD")),
]

PATHS = [
    get("path-missing", "/static/none.html"),
    get("path-missing-directory", "/none/"),
    get("path-trailing-slash-on-file", "/static/page.html/"),
    get("path-below-file", "/static/page.html/more"),
    get("path-encoded-slash", "/static%2Fpage.html"),
    get("path-dot-segment", "/static/./page.html"),
    get("path-dot-dot", "/static/../static/page.html"),
    get("path-dot-dot-out", "/../etc/passwd"),
    get("path-dot-dot-encoded", "/static/%2e%2e/static/page.html"),
    get("path-dot-dot-encoded-slash", "/..%2f..%2fetc/passwd"),
    get("path-dot-dot-in-name", "/static/odd/two..dots.txt"),
    get("path-absolute", "//etc/passwd"),
    get("path-absolute-encoded", "/%2fetc/passwd"),
    get("path-double-slash", "//static/page.html"),
    get("path-double-slash-inside", "/static//page.html"),
    get("path-many-slashes", "////static////page.html"),
    get("path-nul", "/static/page.html%00"),
    get("path-nul-in-query", "/static/page.html?%00"),
    get("path-backslash", "/static\\page.html"),
    get("path-bad-escape", "/static/page.html%zz"),
    get("path-escaped-letters", "/%73tatic/%70age.html"),
    get("path-plus", "/static/odd/a+b.txt"),
    get("path-question-escaped", "/static/page.html%3Fa"),
    get("path-long-name", "/static/" + "n" * 300),
    get("path-very-long", "/static/" + "d/" * 3000),
    get("path-empty-query", "/static/page.html?"),
    get("path-hash", "/static/page.html#fragment"),
]

METHODS = [
    send(f"static-{method.lower()}", request("/static/page.html", method, body=b""))
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "CHICKEN"]
] + [
    send("static-post-directory", request("/static/sub/", "POST", body=b"")),
    send("static-post-missing", request("/static/none", "POST", body=b"body")),
]


@parametrize(TYPES)
def test_types(pair, case):
    pair.check(case)


@parametrize(FILES)
def test_files(pair, case):
    pair.check(case)


@parametrize(HEAD)
def test_head(pair, case):
    pair.check(case)


@parametrize(PATHS)
def test_paths(pair, case):
    pair.check(case)


@parametrize(METHODS)
def test_methods(pair, case):
    pair.check(case)
