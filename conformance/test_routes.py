"""Routes, rewrites and aliases of a config: which handler answers, and from which place."""

from case import get, parametrize, post, request, send

ALIASES = [
    get("alias-file", "/one/page.html"),
    get("alias-handler", "/one/handler.py?a=b"),
    get("alias-template", "/one/sub.sub.txt"),
    get("alias-as-is", "/one/raw.asis"),
    get("alias-directory", "/one/"),
    get("alias-directory-below", "/one/folder/"),
    get("alias-redirect", "/one/folder"),
    get("alias-without-slash", "/one"),
    get("alias-missing", "/one/none.html"),
    get("alias-later-one-first", "/one/deep/page.html"),
    get("alias-later-one-misses", "/one/deep/sub.sub.txt"),
    get("alias-escaped", "/%6Fne/page%2Ehtml"),
    get("alias-dots", "/one/../static/page.html"),
    get("alias-of-a-file", "/static/only.js"),
    get("alias-of-a-file-at-the-root", "/only.js"),
    get("alias-of-a-file-covered-later", "/static/page.html"),
    get("alias-pipe", "/one/page.html?pipe=status(299)"),
    send("alias-head", request("/one/page.html", "HEAD")),
    send("alias-post-to-a-file", request("/one/page.html", "POST")),
]

REWRITES = [
    get("rewrite-first-rule-of-a-path", "/old.html"),
    get("rewrite-keeps-the-query", "/old.html?pipe=status(298)"),
    get("rewrite-handler", "/old.py?x=y"),
    post("rewrite-method-of-a-list", "/old.py?x=y", b"a=b"),
    send("rewrite-other-method", request("/old.py", "PUT")),
    send("rewrite-get-is-not-head", request("/old.html", "HEAD")),
    send("rewrite-any-method", request("/any.py?q", "DELETE")),
    get("rewrite-once", "/chain"),
    get("rewrite-raw-path", "/%6Fld.html"),
    get("rewrite-exact-path", "/old.html/"),
]

ROUTES = [
    get("route-error", "/gone/anything"),
    get("route-string", "/text"),
    get("route-string-query", "/text?pipe=status(297)"),
    send("route-string-put", request("/text", "PUT")),
    send("route-string-other-method", request("/text", "POST")),
    send("route-string-head", request("/text", "HEAD")),
    get("route-named-part", "/spec/fetch/page.html"),
    get("route-named-part-twice", "/spec/fetch/api/page.html"),
    get("route-python", "/p/handler.py"),
    get("route-python-other-file", "/p/page.html"),
    get("route-file", "/f/page.html"),
    get("route-file-directory", "/f/folder/"),
    get("route-file-handler-source", "/f/handler.py"),
    get("route-as-is", "/a/raw.asis"),
    get("route-none-left", "/static-missing/page.html"),
]


@parametrize(ALIASES)
def test_aliases(routed_pair, case):
    routed_pair.check(case)


@parametrize(REWRITES)
def test_rewrites(routed_pair, case):
    routed_pair.check(case)


@parametrize(ROUTES)
def test_routes(routed_pair, case):
    routed_pair.check(case)
