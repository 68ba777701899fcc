"""Templates: every token and field, what they say of a request, escaping, and the errors."""

from urllib.parse import quote

from case import get, parametrize, request, send
from docroot_templates import BAD_TEMPLATES, NAMES_OF_TEMPLATES, TEMPLATES
from wire import Step, exchange

SPECIAL = "<b class=\"x\" id='y'>&amp;</b>"

TOKENS = [
    get(f"template-{name}", f"/templates/{name}.sub.txt?a=1&b=2", ("X-Test", "tested"))
    for name in TEMPLATES
]

REFUSED = [
    get(f"template-fails-{name}", f"/templates/bad/{name}.sub.txt?a=1", ("X-Test", "tested"))
    for name in BAD_TEMPLATES
] + [
    get("template-fails-get-not-utf-8", "/templates/get.sub.txt?a=%E9"),
    get("template-fails-get-surrogate", "/templates/get.sub.txt?a=%ED%A0%80"),
    get("template-fails-get-overlong", "/templates/get.sub.txt?a=%C0%AF"),
    get("template-fails-header-not-utf-8", "/templates/header.sub.txt", ("X-Test", b"\xe9")),
    send("template-fails-header-host-missing",
         request("/templates/header-host.sub.txt", host=None)),
    send("template-fails-host-empty", request("/templates/location.sub.txt", host=b"")),
    send("template-fails-head", request("/templates/bad/unknown.sub.txt", "HEAD")),
    send("template-fails-port-missing",
         request("http://other.test/templates/location.sub.txt", host=None)),
    send("template-fails-then-good", request("/templates/bad/unknown.sub.txt"),
         request("/templates/host.sub.txt")),
]

_LOCATION = "/templates/location.sub.txt"
LOCATION = [
    get("template-location-query", _LOCATION + "?a=b&c;d?e"),
    get("template-location-no-query", _LOCATION),
    get("template-location-empty-query", _LOCATION + "?"),
    get("template-location-escapes", "/templates/%6Cocation.sub.txt?%20%zz%E5%A4%A9"),
    get("template-location-fragment", _LOCATION + "?a#b?c"),
    get("template-location-raw-utf-8", (_LOCATION + "?é天").encode()),
    get("template-location-html", _LOCATION + "?<\"'&>"),
    get("template-location-dot", "/templates/./location.sub.txt"),
    get("template-location-double-slash", "//templates//location.sub.txt"),
    get("template-location-parameters", _LOCATION + ";x=1"),
    send("template-location-host-port", request(_LOCATION, host=b"other.test:1234")),
    send("template-location-host-no-port", request(_LOCATION, host=b"other.test")),
    send("template-location-no-host", request(_LOCATION, host=None)),
    send("template-location-host-upper-case", request(_LOCATION, host=b"OTHER.Test:81")),
    send("template-location-host-address", request(_LOCATION, host=b"127.0.0.1:80")),
    send("template-location-host-leading-zero", request(_LOCATION, host=b"a.test:0080")),
    send("template-location-host-idna", request(_LOCATION, host=b"xn--lve-6lad.test:81")),
    send("template-location-host-user", request(_LOCATION, host=b"user@a.test:81")),
    send("template-location-absolute",
         request(f"http://absolute.test:82{_LOCATION}?x=1", host=b"other.test:83")),
    send("template-location-absolute-no-port",
         request("http://absolute.test/templates/location-no-port.sub.txt")),
    send("template-location-absolute-user",
         request(f"http://user:pass@absolute.test:82{_LOCATION}")),
    send("template-location-http10", request(_LOCATION, version="HTTP/1.0")),
]

_GET = "/templates/get.sub.txt"
VALUES = [
    get("template-get-missing", _GET),
    get("template-get-repeated", _GET + "?a=1&a=2&b="),
    get("template-get-empty", _GET + "?a=&b"),
    get("template-get-plus", _GET + "?a=x+y%2Bz&b=+"),
    get("template-get-semicolon", _GET + "?a=1;b=2"),
    get("template-get-utf-8", _GET + "?a=%E5%A4%A9&b=%C3%A9"),
    get("template-get-raw-utf-8", (_GET + "?a=天&b=é").encode()),
    get("template-get-controls", _GET + "?a=%00%01%0D%0A%7F"),
    get("template-get-bad-escape", _GET + "?a=%zz%&b=%4"),
    get("template-get-escaped-key", _GET + "?%61=1"),
    get("template-get-fragment", _GET + "?a=1#2&b=3"),
    get("template-get-equals", _GET + "?a=1=2&b=="),
    get("template-get-pipe-parameter", _GET + "?a=1&pipe="),
    get("template-get-token-as-value", _GET + "?a={{host}}&b=%7B%7Bunknown%7D%7D"),
    get("template-get-key-empty-given", "/templates/get-empty-key.sub.txt?=x"),
    get("template-get-key-int-given", "/templates/get-int-key.sub.txt?0=x&-1=y"),
    get("template-get-key-spaced-given", "/templates/get-spaced-key.sub.txt?+a+=x&a=y"),
    get("template-get-key-latin-1-given", "/templates/get-key-latin-1.sub.txt?%E9=x"),
    get("template-get-key-utf-8-given", "/templates/get-key-latin-1.sub.txt?%C3%A9=x"),
    get("template-get-key-odd-given", "/templates/get-key-odd.sub.txt?a.b-c%20d=1&a(b)=2&$x=3"),
    get("template-header-repeated", "/templates/header.sub.txt", ("X-Test", "1"), ("X-Test", "2")),
    get("template-header-empty", "/templates/header.sub.txt", ("X-Test", "")),
    get("template-header-html", "/templates/header.sub.txt", ("X-Test", SPECIAL)),
    get("template-header-utf-8", "/templates/header.sub.txt", ("X-Test", "é天".encode())),
    get("template-header-name-case", "/templates/header.sub.txt", ("x-tEST", "v")),
    get("template-default-header-missing", "/templates/header-or-default.sub.txt"),
    get("template-default-header-empty", "/templates/header-or-default.sub.txt", ("X-Test", "")),
    get("template-default-missing-empty", "/templates/header-or-default-empty.sub.txt"),
    get("template-default-missing-spaced", "/templates/header-or-default-spaced.sub.txt"),
    get("template-default-missing-no-space", "/templates/header-or-default-no-space.sub.txt"),
    get("template-default-missing-non-ascii", "/templates/header-or-default-non-ascii.sub.txt"),
    get("template-result-with-token", "/templates/result-not-replaced-again.sub.txt?a={{host}}"),
    # A relative path is taken from the request's own path, as it was sent.
    get("template-fs-path-query", "/templates/fs-path.sub.txt?a=b"),
    get("template-fs-path-slash-in-query", "/templates/fs-path.sub.txt?a=b/c"),
    get("template-fs-path-escaped", "/%74emplates/fs-path.sub.txt"),
    get("template-fs-path-double-slash", "/templates//fs-path.sub.txt"),
    get("template-fs-path-dot", "/templates/./fs-path.sub.txt"),
    get("template-fs-path-root-file", "/root.sub.txt"),
    send("template-fs-path-absolute-form", request("http://a.test:80/templates/fs-path.sub.txt")),
]

ESCAPING = [
    get(f"template-name-{index}", "/templates/names/" + quote(name) + "?a=" + quote(SPECIAL))
    for index, name in enumerate(NAMES_OF_TEMPLATES)
] + [
    get("template-name-escaped-dots", "/templates/names/page%2Esub%2Ehtml?a=" + quote(SPECIAL)),
    get("template-name-in-query-only", "/templates/tokens.txt?x=.sub."),
    get("template-name-directory-listing", "/templates/names/directory.sub.d/"),
    get("template-escape-every-character",
        "/templates/names/page.sub.html?a=" + quote(bytes(range(1, 128)))),
    get("template-not-escaped-every-character",
        "/templates/names/page.sub.txt?a=" + quote(bytes(range(1, 128)))),
]

PIPES = [
    get("template-pipe-sub", "/templates/tokens.txt?pipe=sub&a=" + quote(SPECIAL)),
    get("template-pipe-sub-html", "/templates/tokens.txt?pipe=sub(html)&a=" + quote(SPECIAL)),
    get("template-pipe-sub-none", "/templates/tokens.txt?pipe=sub(none)&a=" + quote(SPECIAL)),
    get("template-pipe-sub-on-html", "/templates/tokens.html?pipe=sub&a=" + quote(SPECIAL)),
    get("template-pipe-sub-none-on-html",
        "/templates/tokens.html?pipe=sub(none)&a=" + quote(SPECIAL)),
    get("template-pipe-sub-twice", "/templates/get.sub.txt?pipe=sub&a={{host}}"),
    get("template-pipe-sub-chain", "/templates/tokens.txt?pipe=sub(none)|sub(html)&a={{host}}"),
    get("template-pipe-sub-no-token", "/static/page.html?pipe=sub"),
    get("template-pipe-sub-no-token-bad-type", "/static/page.html?pipe=sub(x)"),
    get("template-pipe-sub-binary", "/static/bytes.txt?pipe=sub"),
    get("template-pipe-sub-empty-file", "/static/empty.txt?pipe=sub"),
    get("template-pipe-sub-missing-file", "/templates/none.txt?pipe=sub"),
    get("template-missing", "/templates/none.sub.txt"),
    get("template-pipe-value-token", "/templates/host.sub.txt?pipe=header(X-A,{{host}})"),
    get("template-pipe-then-status", "/templates/host.sub.txt?pipe=status(203)"),
    *[get(f"template-fails-pipe-sub-{name}", f"/templates/tokens.txt?pipe=sub({argument})")
      for name, argument in {
          "null": "null", "null-upper-case": "NULL", "other": "x", "empty": "",
          "upper-case": "HTML", "spaced": "+html", "two": "html,none",
      }.items()],
    get("template-fails-pipe-sub-unknown", "/templates/unknown.txt?pipe=sub"),
]

REQUESTS = [
    send("template-head", request("/templates/several.sub.txt", "HEAD")),
    send("template-head-large", request("/templates/large.sub.txt", "HEAD")),
    send("template-post", request("/templates/host.sub.txt", "POST", body=b"")),
    send("template-http10", request("/templates/host.sub.txt", version="HTTP/1.0")),
    get("template-connection-close", "/templates/host.sub.txt", ("Connection", "close")),
    get("template-range", "/templates/around.sub.txt", ("Range", "bytes=7-")),
    get("template-range-inside-token", "/templates/around.sub.txt", ("Range", "bytes=8-")),
    get("template-range-cuts-token", "/templates/around.sub.txt", ("Range", "bytes=0-12")),
    get("template-range-several", "/templates/around.sub.txt", ("Range", "bytes=0-3,7-14")),
    get("template-range-bad", "/templates/around.sub.txt", ("Range", "bytes=99-")),
    send("template-keep-alive", *[request("/templates/host.sub.txt")] * 3),
    get("template-1-mib-one-token", "/templates/large.sub.txt"),
    get("template-1-mib-binary", "/templates/large-binary.sub.txt"),
    get("template-many-tokens", "/templates/many.sub.txt"),
    get("template-many-braces", "/templates/many-braces.sub.txt"),
    get("template-handler", "/templates/handler.sub.py?a=" + quote(SPECIAL)),
    get("template-handler-pipe", "/templates/handler.sub.py?a=b&pipe=status(201)"),
]


@parametrize(TOKENS)
def test_tokens(pair, case):
    pair.check(case)


@parametrize(REFUSED)
def test_refused(pair, case):
    pair.check(case)


@parametrize(LOCATION)
def test_location(pair, case):
    pair.check(case)


@parametrize(VALUES)
def test_values(pair, case):
    pair.check(case)


@parametrize(ESCAPING)
def test_escaping(pair, case):
    pair.check(case)


@parametrize(PIPES)
def test_pipes(pair, case):
    pair.check(case)


@parametrize(REQUESTS)
def test_requests(pair, case):
    pair.check(case)


def test_a_variable_keeps_its_uuid_and_every_call_makes_another(server):
    data = request("/templates/variable-uuid.sub.txt")
    bodies = [exchange(server.address, [Step(data)], [b"GET"]).responses[0].body for _ in "12"]
    (first, again, other), (later, _, _) = (body.split(b" ") for body in bodies)
    assert first == again
    assert len({first, other, later}) == 3
