"""How handler files are found, loaded and called, and the helpers of `wptserve.handlers`."""

import uuid

from case import basic, get, parametrize, request, send
from wire import Step, exchange

LOADING = [
    get(f"loading-{name.replace('_', '-')}", f"/loading/{name}.py")
    for name in [
        "file_variable", "doc_root", "names", "import_hyphen", "import_package",
        "import_in_main", "import_sibling_plain", "load_source", "main_is_other", "main_by_exec",
        "main_is_lambda", "main_is_class", "main_is_method", "main_is_partial", "other_names",
        "positional_only", "star_arguments", "async_main", "sys_path", "future_annotations",
    ]
]

PLACES = [
    send("loading-fresh-globals", *[request("/loading/fresh_globals.py")] * 3),
    send("loading-imported-state", *[request("/loading/imported_state.py")] * 3),
    get("loading-name-with-space", "/loading/with%20space.py"),
    get("loading-escaped-letter", "/loading/main%5Fis_lambda.py"),
    get("loading-escaped-suffix", "/loading/main_is_lambda.%70y"),
    get("loading-escaped-dot", "/loading/main_is_lambda%2Epy"),
    get("loading-escaped-slash", "/loading%2Fmain_is_lambda.py"),
    get("loading-upper-case-suffix", "/loading/main_is_lambda.PY"),
    get("loading-trailing-slash", "/loading/main_is_lambda.py/"),
    get("loading-path-after", "/loading/main_is_lambda.py/more.py"),
    get("loading-parameters", "/loading/main_is_lambda.py;v=1"),
    get("loading-double-slash", "//loading//main_is_lambda.py"),
    get("loading-dot-segment", "/loading/./main_is_lambda.py"),
    get("loading-dot-dot", "/loading/../loading/main_is_lambda.py"),
    get("loading-directory-py", "/loading/dir.py"),
    get("loading-directory-default", "/loading/default.py"),
    get("loading-directory-several-defaults", "/loading/several.py"),
    get("loading-directory-slash", "/loading/several.py/"),
    get("loading-no-such-directory", "/no/such/place.py"),
    get("loading-source-name", "/static/source.py.txt"),
    get("loading-route-match", "/http1/route_match.py"),
]

HELPERS = [
    get(f"json-{name.replace('_', '-')}", f"/json/{name}.py")
    for name in [
        "value", "pair", "triple", "none", "unserialisable", "raises", "handler_decorator",
        "string_handler", "static_handler", "error_handler", "file_handler", "filesystem_path",
        "load_headers", "basic_auth_handler",
    ]
] + [
    send("json-value-head", request("/json/value.py", "HEAD")),
    send("json-value-post", request("/json/value.py", "POST", body=b"x")),
    get("json-basic-auth-handler-answered", "/json/basic_auth_handler.py", basic("user", "pass")),
    get("json-basic-auth-handler-wrong", "/json/basic_auth_handler.py", basic("user", "wrong")),
    get("json-parse-qs", "/json/parse_qs.py?a=1;2&b=&c&a=x+y%20z&d=%E5%A4%A9"),
]


@parametrize(LOADING)
def test_loading(pair, case):
    pair.check(case)


@parametrize(PLACES)
def test_places(pair, case):
    pair.check(case)


@parametrize(HELPERS)
def test_helpers(pair, case):
    pair.check(case)


def _body(server, target: str) -> bytes:
    outcome = exchange(server.address, [Step(request(target))], [b"GET"])
    return outcome.responses[0].body


def test_an_edited_handler_is_live_on_the_next_request(server):
    # The same size both times, and often within one second: only the content tells.
    name = f"edited-{uuid.uuid4().hex}.py"
    path = server.doc_root / "loading" / name
    for word in (b"one", b"two", b"six"):
        path.write_bytes(b'def main(request, response):\n    return b"' + word + b'"\n')
        assert _body(server, f"/loading/{name}") == word
    path.unlink()
    assert b'"code": 404' in _body(server, f"/loading/{name}")


def test_a_helper_module_is_imported_once_per_process(server):
    counts = [int(_body(server, "/loading/imported_state.py")) for _ in range(3)]
    assert counts == list(range(counts[0], counts[0] + 3))
