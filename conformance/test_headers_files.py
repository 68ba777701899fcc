"""`.headers` files: which apply, in what order, and what each byte of them becomes."""

from urllib.parse import quote

from case import Case, get, parametrize, request, send
from docroot_static import (
    BAD_HEADERS_FILES, BAD_SUB_HEADERS_FILES, HEADERS_FILES, SUB_HEADERS_FILES,
)

BYTES = [get(f"headers-file-{name}", f"/headers-files/{name}.txt") for name in HEADERS_FILES]

REFUSED = [
    get(f"headers-file-fails-{name}", f"/headers-files/{name}.txt") for name in BAD_HEADERS_FILES
] + [
    get("headers-file-fails-folder", "/headers-files/folder-bad/plain.txt"),
    get("headers-file-fails-variable-of-folder", "/headers-files/variable/plain.txt"),
    get("headers-file-fails-range", "/headers-files/comment.txt", ("Range", "bytes=0-1")),
    get("headers-file-fails-pipe", "/headers-files/comment.txt?pipe=status(201)"),
    *[get(f"headers-file-fails-sub-{name}", f"/headers-files/sub/bad-{name}.txt")
      for name in BAD_SUB_HEADERS_FILES],
    get("headers-file-fails-sub-get-not-utf-8", "/headers-files/sub/get.txt?a=%E9"),
]

_QUERIES = {
    "get": "?a=" + quote('x <&>"\''), "not-escaped": "?html=" + quote("<p class='a'>\"&</p>"),
    "injected": "?line=" + quote("1\r\nX-In: yes"), "injected-colon": "?name=" + quote("X-A: b: c"),
    "content-type": "?type=x-own", "stripped": "?spaced=%20%20a%20%20",
}

SUBSTITUTED = [
    get(f"headers-file-sub-{name}", f"/headers-files/sub/{name}.txt" + _QUERIES.get(name, ""),
        ("X-Asked", "for this"))
    for name in SUB_HEADERS_FILES
] + [
    get("headers-file-sub-header-missing-default", "/headers-files/sub/default.txt"),
    get("headers-file-sub-header-given", "/headers-files/sub/default.txt", ("X-Absent", "given")),
    get("headers-file-sub-get-latin-1-text", "/headers-files/sub/get.txt?a=%C3%A9"),
    get("headers-file-sub-get-repeated", "/headers-files/sub/get.txt?a=1&a=2"),
    get("headers-file-sub-injected-line-feed", "/headers-files/sub/injected.txt?line=1%0AX-In:2"),
    get("headers-file-sub-injected-nothing", "/headers-files/sub/injected-colon.txt?name="),
]

PLACES = [
    get("headers-file-both", "/headers-files/both/file.txt"),
    get("headers-file-both-sub-empty", "/headers-files/both/sub-empty.txt"),
    get("headers-file-sub-is-directory", "/headers-files/both/sub-is-directory.txt"),
    get("headers-file-is-directory", "/headers-files/both/is-directory.txt"),
    get("headers-file-sub-is-broken-link", "/headers-files/both/file-linked.txt"),
    get("headers-file-no-target", "/headers-files/both/no-target.txt"),
    get("headers-file-folder", "/headers-files/folder/plain.txt"),
    get("headers-file-folder-and-own", "/headers-files/folder/own.txt"),
    get("headers-file-folder-and-own-type", "/headers-files/folder/type.txt"),
    get("headers-file-folder-template", "/headers-files/folder/page.sub.html"),
    get("headers-file-folder-not-below", "/headers-files/folder/below/plain.txt"),
    get("headers-file-folder-asis", "/headers-files/folder/response.asis"),
    get("headers-file-folder-handler", "/headers-files/folder/handler.py"),
    get("headers-file-folder-listing", "/headers-files/folder/"),
    get("headers-file-folder-redirect", "/headers-files/folder"),
    get("headers-file-of-folder-listing", "/headers-files/folder/below/"),
    get("headers-file-folder-missing", "/headers-files/folder/none.txt"),
    get("headers-file-folder-sub", "/headers-files/folder-sub/plain.txt"),
    get("headers-file-folder-sub-and-own", "/headers-files/folder-sub/own.txt"),
    get("headers-file-folder-both", "/headers-files/folder-both/plain.txt"),
    get("headers-file-folder-type", "/headers-files/folder-type/plain.txt"),
    get("headers-file-folder-type-and-own", "/headers-files/folder-type/own.txt"),
    get("headers-file-itself", "/headers-files/line-feed.txt.headers"),
    get("headers-file-itself-sub", "/headers-files/sub/host.txt.sub.headers"),
    get("headers-file-itself-folder", "/headers-files/folder/__dir__.headers"),
    get("headers-file-itself-folder-sub", "/headers-files/folder-sub/__dir__.sub.headers"),
    get("headers-file-of-template", "/headers-files/page.sub.html?a=%3Cb%3E"),
    get("headers-file-of-template-sub", "/headers-files/both.sub.html"),
    get("headers-file-odd-name", "/headers-files/" + quote("odd name;é.txt")),
    get("headers-file-double-slash", "/headers-files//folder//plain.txt"),
    get("headers-file-dot-segment", "/headers-files/folder/./plain.txt"),
    get("headers-file-range", "/headers-files/repeated.txt", ("Range", "bytes=1-2")),
    get("headers-file-range-type", "/headers-files/content-type.txt", ("Range", "bytes=1-2")),
    get("headers-file-range-length", "/headers-files/length-right.txt", ("Range", "bytes=0-1")),
    get("headers-file-range-bad", "/headers-files/folder/own.txt", ("Range", "bytes=9-")),
    get("headers-file-pipe-header", "/headers-files/repeated.txt?pipe=header(X-A,new)"),
    get("headers-file-pipe-append", "/headers-files/repeated.txt?pipe=header(x-A,new,True)"),
]


def _head(name: str, path: str) -> Case:
    return send(f"headers-file-head-{name}", request(path, "HEAD"))


HEAD = [
    _head("plain", "/headers-files/line-feed.txt"),
    _head("folder", "/headers-files/folder/own.txt"),
    _head("length", "/headers-files/length-right.txt"),
    _head("length-long", "/headers-files/length-long.txt"),
    _head("template", "/headers-files/page.sub.html?a=bcd"),
    _head("listing", "/headers-files/folder/below/"),
    _head("bad", "/headers-files/no-colon.txt"),
    _head("handler", "/headers-files/folder/handler.py"),
]


@parametrize(BYTES)
def test_bytes(pair, case):
    pair.check(case)


@parametrize(REFUSED)
def test_refused(pair, case):
    pair.check(case)


@parametrize(SUBSTITUTED)
def test_substituted(pair, case):
    pair.check(case)


@parametrize(PLACES)
def test_places(pair, case):
    pair.check(case)


@parametrize(HEAD)
def test_head(pair, case):
    pair.check(case)
