"""What a handler reads from `request`: attributes, query, headers, cookies, authentication."""

from case import basic, get, parametrize, request, send

ATTRIBUTES = [
    get("request-attributes", "/request/attributes.py?a=1&b=%20#frag"),
    get("request-attributes-path-info", "/request/attributes.py?"),
    send("request-attributes-post", request("/request/attributes.py", "POST", body=b"x")),
    get("request-url-parts", "/request/url_parts.py?a=b%20c&d#fragment"),
    get("request-url-parts-no-query", "/request/url_parts.py"),
    get("request-url-parts-escapes", "/request/url_p%61rts.py?%C3%A9=%"),
    get("request-url-parts-latin-1", b"/request/url_parts.py?\xe9\xff"),
    get("request-client-address", "/request/client_address.py"),
    send(
        "request-client-address-same-connection",
        request("/request/same_connection.py"),
        request("/request/same_connection.py"),
    ),
    get("request-repr", "/request/repr.py?q"),
    get("request-attributes-can-be-set", "/request/settable.py"),
    get("request-config", "/request/config.py"),
    get("request-stash-default-path", "/request/server_stash_path.py?query=1"),
    get("request-same-objects", "/request/get_same_object.py?a=1"),
    get("request-utils", "/request/utils.py"),
    get("request-isomorphic-decode-none", "/request/isomorphic_type_error.py"),
    get("request-constants", "/request/constants.py"),
    *[
        get(f"request-module-{name}", f"/request/modules.py?{name}")
        for name in [
            "request", "response", "handlers", "utils", "stash", "constants", "router", "routes",
            "server", "config", "logger", "pipes", "ranges",
        ]
    ],
]

QUERY = [
    get("get-first", "/request/get_first.py?a=1&a=2"),
    get("get-first-empty-value", "/request/get_first.py?a="),
    get("get-first-missing", "/request/get_first_missing.py"),
    get("get-item", "/request/get_item.py?a=1&a=2"),
    get("get-item-missing", "/request/get_item_missing.py?a=1"),
    get("get-last-missing", "/request/get_last_missing.py"),
    get("get-multi", "/request/get_multi.py?a=1&b=x&a=2&a=3"),
    get("get-iterate", "/request/get_iterate.py?b=1&a=2&b=3&c="),
    get("get-iterate-empty", "/request/get_iterate.py"),
    get("get-repr", "/request/get_repr.py?b=1&a=2&b=3"),
    get("get-add", "/request/get_add.py?a=1"),
    get("get-multidict-alone", "/request/multidict_alone.py"),
    get("get-str-key", "/request/get_str_key.py?a=1&a=2"),
    get("get-documented-example", "/request/get_documented_example.py?content-type=text/x"),
    get("get-plus-and-escapes", "/request/get_iterate.py?a+b=c+d&e%20f=%67%2B&%61=%00%ff"),
    get("get-invalid-escapes", "/request/get_iterate.py?a=%zz&b=%&c=%4&d=%%41"),
    get("get-semicolons", "/request/get_iterate.py?a=1;b=2&c=3"),
    get("get-no-equals", "/request/get_iterate.py?a&b&c=1"),
    get("get-empty-names", "/request/get_iterate.py?=1&=&&x=2&"),
    get("get-equals-in-value", "/request/get_iterate.py?a=b=c==d"),
    get("get-utf8-escaped", "/request/get_iterate.py?%C3%A9=%E5%A4%A9"),
    get("get-raw-latin-1", b"/request/get_iterate.py?\xe9=\xff"),
    get("get-raw-utf8", "/request/get_iterate.py?".encode() + "é=天".encode()),
    get("get-question-marks", "/request/get_iterate.py?a=?&b=/../?c"),
    get("get-hash", "/request/get_iterate.py?a=1#b=2"),
    get("get-many", "/request/get_multi.py?" + "&".join(f"a={n}" for n in range(200))),
]

HEADERS = [
    get("headers-get", "/request/headers_get.py", ("X-Test", "value")),
    get("headers-get-folded-spaces", "/request/headers_get.py", ("X-Test", "   spaced \t ")),
    get("headers-get-empty", "/request/headers_get.py", ("X-Test", "")),
    get("headers-get-latin-1", "/request/headers_get.py", ("X-Test", b"\xe9\xff\x80")),
    get("headers-get-utf8", "/request/headers_get.py", ("X-Test", "天".encode())),
    get("headers-get-repeated", "/request/headers_get.py", ("X-Test", "1"), ("x-test", "2")),
    get("headers-item", "/request/headers_item.py", ("X-Test", "value")),
    get("headers-item-missing", "/request/headers_item.py"),
    get("headers-item-str", "/request/headers_item_str.py", ("x-tEST", "value")),
    get("headers-item-str-missing", "/request/headers_item_str.py"),
    get("headers-contains", "/request/headers_contains.py", ("X-Test", "value")),
    get("headers-items", "/request/headers_items.py", ("X-B", "1"), ("x-a", "2"), ("X-b", "3")),
    get("headers-iterate", "/request/headers_iterate.py", ("X-B", "1"), ("x-a", "2")),
    get("headers-get-list", "/request/headers_get_list.py", ("X-Test", "1"), ("X-Test", "2")),
    get("headers-get-list-missing", "/request/headers_get_list_missing.py"),
    get("headers-read-only", "/request/headers_set.py", ("X-Test", "1")),
    get("headers-repr", "/request/headers_repr.py", ("X-Test", "1"), ("X-Test", "2")),
    get("headers-picklable", "/request/headers_stashed.py", ("X-Test", "1")),
    get("raw-headers-str", "/request/raw_headers_str.py", ("X-B", "1"), ("x-a", " 2"), ("X-B", "3")),
    get("raw-headers", "/request/raw_headers.py", ("X-Test", "1"), ("x-tesT", "2")),
    get("raw-headers-latin-1", "/request/raw_headers_str.py", ("X-Test", b"\xe9")),
    get("raw-headers-type", "/request/raw_headers_type.py"),
    send(
        "headers-no-space-after-colon",
        b"GET /request/raw_headers.py HTTP/1.1\r\nHost:h\r\nX-Test:1\r\nX-Test:\t2 \r\n\r\n",
    ),
    send(
        "headers-folded-line",
        b"GET /request/raw_headers.py HTTP/1.1\r\nHost: h\r\nX-Test: 1\r\n  folded\r\n\r\n",
    ),
    send(
        "headers-space-before-colon",
        b"GET /request/headers_items.py HTTP/1.1\r\nHost: h\r\nX-Test : 1\r\nX-B: 2\r\n\r\n",
    ),
    send(
        "headers-line-without-colon",
        b"GET /request/headers_items.py HTTP/1.1\r\nHost: h\r\nno colon\r\nX-B: 2\r\n\r\n",
    ),
    send(
        "headers-bare-line-feeds",
        b"GET /request/headers_items.py HTTP/1.1\nHost: h\nX-Test: 1\n\n",
    ),
]

AUTHENTICATION = [
    get("auth-none", "/request/auth.py"),
    get("auth-basic", "/request/auth.py", basic("user", "pass")),
    get("auth-basic-colons", "/request/auth.py", basic("user", "pa:ss:word")),
    get("auth-basic-latin-1", "/request/auth.py", basic("us\xe9r", "p\xe4ss")),
    get("auth-basic-empty", "/request/auth.py", basic("", "")),
    get("auth-basic-no-colon", "/request/auth.py", ("Authorization", "Basic dXNlcg==")),
    get("auth-basic-bad-base64", "/request/auth.py", ("Authorization", "Basic !!!")),
    get("auth-basic-lower-case", "/request/auth.py", ("Authorization", "basic dTpw")),
    get("auth-bearer", "/request/auth.py", ("Authorization", "Bearer token")),
    get("auth-no-scheme", "/request/auth.py", ("Authorization", "Basic")),
    get("auth-challenge", "/request/auth_challenge.py"),
    get("auth-challenge-answered", "/request/auth_challenge.py", basic("u", "p")),
]


def _cookie(id: str, target: str, *values: str | bytes):
    return get(id, target, *[("Cookie", value) for value in values])


COOKIES = [
    _cookie("cookies-none", "/request/cookies.py"),
    _cookie("cookies", "/request/cookies.py", "a=1; b=2"),
    _cookie("cookies-repeated-name", "/request/cookies.py", "a=1; a=2"),
    _cookie("cookies-two-headers", "/request/cookies.py", "a=1", "b=2"),
    _cookie("cookies-item", "/request/cookies_item.py", "a=1"),
    _cookie("cookies-item-quoted", "/request/cookies_item.py", 'a="quoted \\"value\\""'),
    _cookie("cookies-item-empty", "/request/cookies_item.py", "a="),
    _cookie("cookies-item-equals", "/request/cookies_item.py", "a=b=c"),
    _cookie("cookies-item-missing", "/request/cookies_item_missing.py", "a=1"),
    _cookie("cookies-first-missing", "/request/cookies_first_missing.py", "a=1"),
    _cookie("cookies-str-key", "/request/cookies_str_key.py", "a=1"),
    _cookie("cookies-value-attributes", "/request/cookie_value_attributes.py", "a=1; Path=/x"),
    _cookie("cookies-items", "/request/cookies_items.py", "b=1; a=2; c=three"),
    _cookie("cookies-no-spaces", "/request/cookies_items.py", "a=1;b=2;c=3"),
    _cookie("cookies-raw-latin-1", "/request/cookies_items.py", b"a=1; b=\xe9; c=3"),
    _cookie("cookies-illegal-character", "/request/cookies_items.py", "a=1; b@=2; c=3"),
    _cookie("cookies-illegal-name", "/request/cookies_items.py", "a=1; b[]=2; c{}=3"),
    _cookie("cookies-no-equals", "/request/cookies_items.py", "a; b=2"),
    _cookie("cookies-attributes", "/request/cookies_items.py", "$Version=1; a=1; $Path=/p; b=2"),
    _cookie("cookies-reserved-names", "/request/cookies_items.py", "path=/; a=1; secure; b=2"),
    _cookie("cookies-comma", "/request/cookies_items.py", "a=1,2; b=3"),
    _cookie("cookies-json", "/request/cookies_items.py", 'a={"k":1}; b=3'),
]


@parametrize(ATTRIBUTES)
def test_attributes(pair, case):
    pair.check(case)


@parametrize(QUERY)
def test_query(pair, case):
    pair.check(case)


@parametrize(HEADERS)
def test_headers(pair, case):
    pair.check(case)


@parametrize(AUTHENTICATION)
def test_authentication(pair, case):
    pair.check(case)


@parametrize(COOKIES)
def test_cookies(pair, case):
    pair.check(case)
