"""Handlers that fail: before output, after output, while they load, and on purpose."""

from case import get, parametrize, request, send

# How deep a handler may go depends on the frames below it.
DEPTH = rb"line repeated \d+ more"

EXCEPTIONS = [
    get(f"error-{name.replace('_', '-')}", f"/errors/{name}.py", mask=(DEPTH,))
    for name in [
        "value_error", "no_arguments", "not_ascii", "chained", "deep", "in_lambda", "assertion",
        "base_exception", "system_exit", "raise_str", "recursion", "os_error",
        "missing_attribute", "missing_response_attribute", "missing_writer_attribute",
    ]
]

HTTP_EXCEPTIONS = [
    get(f"error-{name.replace('_', '-')}", f"/errors/{name}.py")
    for name in [
        "http_400_arguments", "http_400_keyword", "http_404", "http_200", "http_500",
        "http_503_from", "http_599_context", "http_attributes",
    ]
]

AFTER_OUTPUT = [
    get(f"error-{name.replace('_', '-')}", f"/errors/{name}.py")
    for name in ["after_status", "after_headers", "after_length", "after_content",
                 "http_after_content"]
]

LOADING = [
    get(f"error-{name.replace('_', '-')}", f"/errors/{name}.py")
    for name in [
        "no_main", "main_not_callable", "empty", "top_level", "import_error", "no_parameters",
        "one_parameter", "three_parameters", "default_third", "keyword_only",
        "os_error_top_level", "syntax_error", "indentation_error", "not_utf8", "latin1_source",
        "no_such_file",
    ]
]

OTHERWISE = [
    send("error-head", request("/errors/value_error.py", "HEAD")),
    send("error-post", request("/errors/value_error.py", "POST", body=b"unread")),
    send("error-then-next-request", request("/errors/value_error.py"), request("/returns/bytes.py")),
    send("error-query-in-message", request("/errors/value_error.py?a=%22b%22&c=%C3%A9")),
    send("error-latin-1-in-message", request(b"/errors/value_error.py?\xe9")),
]


@parametrize(EXCEPTIONS)
def test_exceptions(pair, case):
    pair.check(case)


@parametrize(HTTP_EXCEPTIONS)
def test_http_exceptions(pair, case):
    pair.check(case)


@parametrize(AFTER_OUTPUT)
def test_after_output(pair, case):
    pair.check(case)


@parametrize(LOADING)
def test_loading(pair, case):
    pair.check(case)


@parametrize(OTHERWISE)
def test_otherwise(pair, case):
    pair.check(case)
