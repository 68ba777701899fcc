"""The `response` object: its headers, cookies, errors and flags."""

from urllib.parse import quote

from case import get, parametrize, request, send

# What stands in `expires` when it is an interval from now.
EXPIRES = rb"expires=\d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"

HEADER_LIST = [
    get(f"response-headers-{name.replace('_', '-')}", f"/headers/{name}.py")
    for name in ["set_append", "get", "item", "item_missing", "delete", "delete_missing", "update",
                 "iterate", "replaced_by_list", "replaced_then_returned", "set_bad_type", "alone"]
]


def _set_cookie(id: str, arguments: str = "{}", name: str = "name", value: str = "value"):
    query = f"name={quote(name)}&value={quote(value)}&arguments={quote(arguments)}"
    return get(f"set-cookie-{id}", "/cookies/set.py?" + query, mask=(EXPIRES,))


COOKIES = [
    _set_cookie("plain"),
    _set_cookie("empty-value", value=""),
    _set_cookie("latin-1", name="n", value="\xe9"),
    _set_cookie("special-value", value='a b;c"d,e\\'),
    _set_cookie("path", '{"path": "/p/q"}'),
    _set_cookie("path-none", '{"path": None}'),
    _set_cookie("path-bytes", '{"path": b"/p"}'),
    _set_cookie("path-empty", '{"path": ""}'),
    _set_cookie("domain", '{"domain": "example.test"}'),
    _set_cookie("max-age-int", '{"max_age": 100}'),
    _set_cookie("max-age-zero", '{"max_age": 0}'),
    _set_cookie("max-age-negative", '{"max_age": -1}'),
    _set_cookie("max-age-timedelta", '{"max_age": datetime.timedelta(minutes=1)}'),
    _set_cookie("max-age-str", '{"max_age": "9"}'),
    _set_cookie("expires-datetime", '{"expires": datetime.datetime(2031, 2, 3, 4, 5, 6)}'),
    _set_cookie("expires-timedelta", '{"expires": datetime.timedelta(days=400)}'),
    _set_cookie("expires-str", '{"expires": "tomorrow"}'),
    _set_cookie("secure", '{"secure": True}'),
    _set_cookie("httponly", '{"httponly": True}'),
    _set_cookie("secure-false", '{"secure": False, "httponly": False}'),
    _set_cookie("samesite", '{"samesite": "Strict"}'),
    _set_cookie("samesite-odd", '{"samesite": "sometimes"}'),
    _set_cookie("comment", '{"comment": "why not"}'),
    _set_cookie("unknown-argument", '{"priority": "high"}'),
    _set_cookie("everything",
                '{"path": "/p", "domain": "d.test", "max_age": 5, "secure": True,'
                ' "expires": datetime.datetime(2031, 12, 24, 23, 59, 59), "httponly": True,'
                ' "samesite": "Lax", "comment": "c"}'),
    get("set-cookie-str", "/cookies/set_str.py"),
    get("set-cookie-positional", "/cookies/set_positional.py"),
    get("set-cookie-none", "/cookies/set_none.py", mask=(EXPIRES,)),
    get("set-cookie-bad-name", "/cookies/set_bad_name.py"),
    get("set-cookie-int-value", "/cookies/set_int_value.py"),
    get("delete-cookie", "/cookies/delete.py", mask=(EXPIRES,)),
    get("unset-cookie", "/cookies/unset.py"),
    get("unset-cookie-absent", "/cookies/unset_absent.py"),
    get("unset-cookie-other", "/cookies/unset_other.py"),
    get("set-cookie-own-header", "/cookies/own_header.py"),
]

RESPONSE = [
    get(f"response-{name.replace('_', '-')}", f"/response/{name}.py")
    for name in [
        "attributes", "set_error", "set_error_no_message", "set_error_not_ascii", "set_error_500",
        "set_error_500_none", "set_error_500_exception", "set_error_then_return",
        "set_error_then_write", "no_required_headers", "no_headers_at_all", "close_connection",
        "send_body_for_head", "encoding", "write", "write_twice", "write_status_headers",
        "write_status_headers_length", "write_content_only", "iter_content",
        "iter_content_big_file", "multipart_content", "multipart_content_random",
        "multipart_part", "multipart_part_bad", "content_replaced", "header_after_return_order",
        "logger",
    ]
]

HEAD = [
    send(f"head-response-{name.replace('_', '-')}", request(f"/response/{name}.py", "HEAD"))
    for name in ["send_body_for_head", "write", "write_status_headers", "write_content_only",
                 "set_error", "close_connection", "multipart_content"]
]


@parametrize(HEADER_LIST)
def test_header_list(pair, case):
    pair.check(case)


@parametrize(COOKIES)
def test_cookies(pair, case):
    pair.check(case)


@parametrize(RESPONSE)
def test_response(pair, case):
    pair.check(case)


@parametrize(HEAD)
def test_head(pair, case):
    pair.check(case)
