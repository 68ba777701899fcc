"""Directories: the redirect to the slash, the listing, its order, and how it escapes names."""

from urllib.parse import quote

from case import get, parametrize, request, send
from docroot_extras import ODD_DIRECTORIES

DIRECTORIES = [
    get("directory-root", "/"),
    get("directory-listing", "/static/listing/"),
    get("directory-odd-names", "/static/odd/"),
    get("directory-empty", "/static/empty-directory/"),
    get("directory-index-not-served", "/static/index/"),
    get("directory-listing-query", "/static/listing/?a=b"),
    get("directory-listing-escaped", "/static/odd/directory%20with%20space/"),
    get("directory-double-slash", "/static//listing/"),
    get("directory-redirect", "/static/listing"),
    get("directory-redirect-query", "/static/listing?x=1"),
    get("directory-redirect-empty-query", "/static/listing?"),
    get("directory-redirect-escaped", "/static/odd/directory%20with%20space"),
    get("directory-redirect-link", "/static/linked-directory"),
    send("directory-redirect-no-host", request("/static/listing", host=None)),
    send("directory-redirect-absolute-form",
         request("http://other.test:81/static/listing")),
]

KINDS = [
    get("directory-kinds", "/directories/kinds/"),
    get("directory-many", "/directories/many/"),
    get("directory-of-odd-directories", "/directories/"),
    get("directory-linked", "/directories/linked/"),
    get("directory-redirect-linked", "/directories/linked"),
    get("directory-link-upwards", "/directories/kinds/link-to-directory/"),
    get("directory-control", "/directories/control/"),
    get("directory-name-not-utf-8", "/directories/not-utf-8/"),
    get("directory-file-name-not-utf-8", "/directories/not-utf-8/%E9.txt"),
    get("directory-file-control", "/directories/control/line%0Afeed"),
    get("directory-of-headers-name", "/directories/kinds/headers-folder.headers/"),
    get("directory-redirect-of-headers-name", "/directories/kinds/headers-folder.headers"),
    get("directory-file-as-directory", "/directories/kinds/x.txt/"),
    get("directory-file-below-file", "/directories/kinds/x.txt/y"),
    get("directory-missing", "/directories/none/"),
    get("directory-missing-no-slash", "/directories/none"),
]

NAMES = [
    case
    for index, name in enumerate(ODD_DIRECTORIES)
    for case in [
        get(f"directory-name-{index}", f"/directories/{quote(name)}/"),
        get(f"directory-name-{index}-below", f"/directories/{quote(name)}/below/"),
        get(f"directory-redirect-name-{index}", f"/directories/{quote(name)}"),
    ]
]

TARGETS = [
    get("directory-redirect-escaped-slash", "/directories/a%20b%2F"),
    get("directory-escaped-letters", "/%64irectories/%61%20b/"),
    get("directory-dot", "/directories/a%20b/./"),
    get("directory-redirect-dot-last", "/directories/a%20b/."),
    get("directory-dot-escaped", "/directories/a%20b/%2e/"),
    get("directory-dot-dot", "/directories/a%20b/../"),
    get("directory-two-slashes", "/directories/a%20b//"),
    get("directory-root-two-slashes", "//"),
    get("directory-raw-html", "/directories/less%3Cthan%3E/?<b>&amp;"),
    get("directory-raw-quotes", b"/directories/quo'te/"),
    get("directory-raw-utf-8", "/directories/élève/".encode()),
    get("directory-redirect-raw-utf-8", "/directories/élève".encode()),
    get("directory-parameters", "/directories/semi;colon/below/"),
    get("directory-hash", "/directories/a%20b/#fragment"),
    get("directory-redirect-hash", "/directories/a%20b#fragment"),
    get("directory-redirect-dot", "/directories/."),
    get("directory-redirect-double-slash", "/directories//a%20b"),
    get("directory-redirect-pipe", "/directories/a%20b?pipe=status(404)"),
    get("directory-pipe", "/directories/a%20b/?pipe=status(404)|header(X-A,1)"),
    get("directory-pipe-unknown", "/directories/a%20b/?pipe=unknown"),
    get("directory-range", "/directories/a%20b/", ("Range", "bytes=0-3")),
    send("directory-redirect-host-without-port", request("/directories/a%20b", host=b"any.test")),
    send("directory-redirect-host-upper-case", request("/directories/a%20b", host=b"ANY.Test:81")),
    send("directory-redirect-host-default-port", request("/directories/a%20b", host=b"a.test:80")),
    send("directory-redirect-http10",
         request("/directories/a%20b", version="HTTP/1.0", host=None)),
    send("directory-http10", request("/directories/a%20b/", version="HTTP/1.0")),
    send("directory-head", request("/directories/a%20b/", "HEAD")),
    send("directory-post", request("/directories/a%20b/", "POST", body=b"a=1")),
    send("directory-post-no-slash", request("/directories/a%20b", "POST", body=b"a=1")),
    send("directory-twice", *[request("/directories/a%20b/")] * 2),
]


@parametrize(DIRECTORIES)
def test_directories(pair, case):
    pair.check(case)


@parametrize(KINDS)
def test_kinds(pair, case):
    pair.check(case)


@parametrize(NAMES)
def test_names(pair, case):
    pair.check(case)


@parametrize(TARGETS)
def test_targets(pair, case):
    pair.check(case)
