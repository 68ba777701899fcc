"""Error messages and multipart content."""

from __future__ import annotations

import linecache
import re
from types import SimpleNamespace

import pytest

from wptserve.config import Config
from wptserve.request import MultiDict
from wptserve.response import MultipartContent, format_server_error


def response(suppress=False):
    config = Config({"logging": {"suppress_handler_traceback": suppress}})
    request = SimpleNamespace(url="http://h/x.py?q", server=SimpleNamespace(config=config))
    return SimpleNamespace(request=request)


def raised_by(source, **names):
    lines = source.splitlines(keepends=True)
    linecache.cache["/docs/x.py"] = (len(source), None, lines, "/docs/x.py")
    namespace = {"__file__": "/docs/x.py", **names}
    try:
        exec(compile(source, "/docs/x.py", "exec", dont_inherit=True), namespace)
        namespace["main"](None, None)
    except BaseException as error:
        # The frame of this test is not the handler's.
        return error.with_traceback(error.__traceback__.tb_next)
    raise AssertionError("nothing was raised")


HEAD = "Internal server error loading http://h/x.py?q:\n  "


def test_no_exception():
    assert format_server_error(response(), None) == HEAD + "<no traceback>"
    assert format_server_error(response(), "why") == HEAD + "why"


def without_markers(text):
    """`text` without the lines of carets that some Python versions put under the source."""
    return re.sub(r"^ *[~^]+\n", "", text, flags=re.M)


def test_traceback():
    error = raised_by(
        "def main(request, response):\n    helper()\ndef helper():\n    raise KeyError(b'k')\n"
    )
    assert without_markers(format_server_error(response(), error)) == HEAD + (
        "Traceback (most recent call last):\n"
        '    File "/docs/x.py", line 2, in main\n'
        "    helper()\n"
        "\n"
        '    File "/docs/x.py", line 4, in helper\n'
        "    raise KeyError(b'k')\n"
        "  KeyError: b'k'\n"
    )


def test_traceback_without_this_packages_frames():
    source = "def main(request, response):\n    GET.first(b'k')\n"
    error = raised_by(source, GET=MultiDict())
    assert without_markers(format_server_error(response(), error)) == HEAD + (
        "Traceback (most recent call last):\n"
        '    File "/docs/x.py", line 2, in main\n'
        "    GET.first(b'k')\n"
        "  KeyError: b'k'\n"
    )
    assert format_server_error(response(suppress=True), error) == (
        HEAD + 'File "/docs/x.py", line 2 in main (traceback suppressed)'
    )


ERRORS = [
    "def main(request, response):\n    raise ValueError('x\\ny')\n",
    "def main(request, response):\n    a = {}\n    return a['b'] + (1 /\n        0)\n",
    "def main(request, n=9):\n    main(request, n - 1) if n else 1 / 0\n",
    "def main(request, response):\n    try:\n        1 / 0\n    finally:\n        len(1)\n",
    "def main(request):\n    pass\n",
]


def test_tracebacks_match_the_reference(reference):
    answers = reference([("server_error", (source,)) for source in ERRORS])
    assert [format_server_error(response(), raised_by(source)) for source in ERRORS] == answers


def test_syntax_error_shows_its_place():
    error = raised_by("def main(request, response):\n    return (\n")
    text = format_server_error(response(), error)
    assert 'File "/docs/x.py", line 2\n' in text
    assert "SyntaxError: " in text
    assert format_server_error(response(suppress=True), error) == (
        HEAD + 'File "/docs/x.py", line 2 (traceback suppressed)'
    )


def test_exception_that_was_never_raised():
    assert format_server_error(response(), ValueError("x")) == (
        HEAD + "Traceback (most recent call last):\n  ValueError: x\n"
    )
    assert format_server_error(response(suppress=True), ValueError("x")) == (
        HEAD + "ValueError (traceback suppressed)"
    )


PARTS = [
    ("xx", None, []),
    ("xx", None, [("a", None, []), ("b\xe9", "text/plain", [("X", "1"), ("x", "2")])]),
    ("xx", "a/b", [("a", None, [("Content-Type", "c/d")]), ("", "e/f", [])]),
]


def content(boundary, default, parts):
    made = MultipartContent(boundary, default)
    for data, content_type, fields in parts:
        made.append_part(data.encode("latin-1"), content_type, fields)
    return made


def test_multipart_content():
    made = content(*PARTS[1])
    assert made() == (
        b"\r\n--xx\r\n\r\na\r\n--xx\r\nContent-Type: text/plain\r\nX: 1\r\nX: 2"
        b"\r\n\r\nb\xe9\r\n--xx--"
    )
    assert [item() for item in made] == [made()]
    assert MultipartContent().boundary != MultipartContent().boundary


def test_multipart_content_type_in_bytes_replaces():
    made = MultipartContent("b")
    made.append_part(b"x", "a/b", [(b"Content-type", b"c/d")])
    assert made() == b"\r\n--b\r\nContent-type: c/d\r\n\r\nx\r\n--b--"


def test_multipart_part_wants_bytes():
    with pytest.raises(AssertionError):
        MultipartContent().append_part("text")


def test_multipart_matches_the_reference(reference):
    answers = reference([("multipart", case) for case in PARTS])
    assert [content(*case)().decode("latin-1") for case in PARTS] == answers
