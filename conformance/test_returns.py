"""What `main` returns: every format, status form, header value and kind of content."""

from urllib.parse import quote

from case import get, parametrize, request, send

FORMATS = [
    get(f"returns-{name.replace('_', '-')}", f"/returns/{name}.py")
    for name in [
        "none", "none_with_content", "bytes", "str", "str_not_latin", "empty_bytes", "empty_str",
        "pair", "triple", "pair_tuple_of_headers", "pair_empty_headers", "pair_dict_headers",
        "pair_generator_headers", "pair_int_headers", "list_by_mistake", "list_of_bytes",
        "list_with_str", "empty_list", "one_tuple", "four_tuple", "empty_tuple", "int", "zero",
        "false", "dict", "set_of_one", "bytearray", "memoryview", "generator", "generator_in_pair",
        "generator_with_length", "generator_raises", "generator_raises_with_length",
        "generator_main", "callable_items", "callable", "list_with_int", "list_with_tuple",
        "list_with_memoryview", "list_with_bytearray", "callable_raises", "file", "file_text_mode",
        "file_in_list", "bytesio", "other_main", "response_text", "response_itself",
    ]
]

STATUS_FORMS = {
    "int": "404", "int-299": "299", "unknown": "777", "negative": "-5", "zero": "0",
    "large": "99999", "bool": "True", "float": "404.7", "int-bytes": '(404, b"Gone Missing")',
    "int-str": '(404, "Gone Missing")', "int-empty": '(299, b"")', "int-none": "(200, None)",
    "int-int": "(200, 5)", "latin-1": '(200, "\\xe9t\\xe9")', "latin-1-bytes": '(200, b"\\xe9")',
    "not-latin-1": '(200, "\\u5929")', "digits-str": '("201", "Made")',
    "digits-bytes": '(b"202", b"Taken")', "list": '[203, "Listed"]', "one-tuple": "(200,)",
    "three-tuple": '(200, "a", "b")', "none": "None", "str": '"200"', "bytes": 'b"200"',
    "two-digits-str": '"20"', "not-a-number": '("x", "y")', "injected": '(200, "OK\\r\\nX-In: 1")',
    "204": "204", "205": "205", "304": "304", "101": "101", "100": "100", "600": "600",
    "float-in-tuple": '(404.2, "f")',
}

STATUSES = [
    *[get(f"status-returned-{name}", "/status/value.py?status=" + quote(form))
      for name, form in STATUS_FORMS.items()],
    *[get(f"status-attribute-{name}", "/status/attribute.py?status=" + quote(form))
      for name, form in STATUS_FORMS.items()
      if name in ("int", "int-bytes", "int-str", "int-int", "digits-bytes", "str", "none", "bool",
                  "two-digits-str", "three-tuple", "204")],
    *[get(f"status-reason-{code}", f"/status/value.py?status={code}")
      for code in (201, 206, 301, 302, 303, 307, 308, 400, 401, 405, 413, 414, 416, 417, 418, 422,
                   429, 451, 500, 501, 503, 505, 511)],
]


def _header(id: str, name: str, value: str):
    return get(f"header-value-{id}", f"/headers/value.py?name={quote(name)}&value={quote(value)}")


HEADER_VALUES = [
    _header("bytes", 'b"X-A"', 'b"value"'),
    _header("str", '"X-A"', '"value"'),
    _header("int", '"X-A"', "12"),
    _header("negative-int", '"X-A"', "-3"),
    _header("bool", '"X-A"', "True"),
    _header("none", '"X-A"', "None"),
    _header("float", '"X-A"', "1.5"),
    _header("list", '"X-A"', '[b"a"]'),
    _header("latin-1", '"X-A"', '"\\xe9"'),
    _header("not-latin-1", '"X-A"', '"\\u5929"'),
    _header("high-bytes", 'b"X-\\xff"', 'b"\\xff\\x80"'),
    _header("empty", '"X-A"', '""'),
    _header("spaces", '"X-A"', '"  inside  out  "'),
    _header("empty-name", '""', '"v"'),
    _header("name-with-colon", '"X:A"', '"v"'),
    _header("name-with-space", '"X A"', '"v"'),
    _header("int-name", "5", '"v"'),
    _header("none-name", "None", '"v"'),
    _header("control-characters", '"X-A"', '"a\\x00\\x01\\tb"'),
    _header("long", '"X-A"', '"v" * 70000'),
]

HEADERS = [
    get(f"headers-{name.replace('_', '-')}", f"/headers/{name}.py")
    for name in [
        "repeated", "injected", "bare_lf", "own_content_length", "long_content_length",
        "two_content_lengths", "bad_content_length", "own_date_and_server", "own_date",
        "own_transfer_encoding", "broken_chunks", "own_connection_close",
        "own_connection_keep_alive",
    ]
]

HEAD = [
    send(f"head-{name.replace('_', '-')}", request(f"/returns/{name}.py", "HEAD"))
    for name in ["none", "bytes", "str", "triple", "list_of_bytes", "generator", "file",
                 "generator_raises", "list_with_int", "empty_bytes"]
]


@parametrize(FORMATS)
def test_formats(pair, case):
    pair.check(case)


@parametrize(STATUSES)
def test_statuses(pair, case):
    pair.check(case)


@parametrize(HEADER_VALUES)
def test_header_values(pair, case):
    pair.check(case)


@parametrize(HEADERS)
def test_headers(pair, case):
    pair.check(case)


@parametrize(HEAD)
def test_head(pair, case):
    pair.check(case)
