"""The suite's own parts: cutting, normalising, comparing and judging."""

import gzip
import json
import pathlib
import re

import pytest

from compare import differences
from expectations import Expectation, Expectations
from normalise import normalise
from servers import Server
from wire import Outcome, Response, split_responses
from wpt_files import header_targets, urls_in
from wpt_handlers import handler_urls, is_handler
from wpt_http2_sweep import compare as compare_http2
from wpt_http2_sweep import outcome_of
from wpt_static_sweep import compare_static
from wpt_sweep import Answer, classify, compare_heads

SERVER = Server("any", "127.0.0.1", 8123, pathlib.Path("/doc/root"), None)


def _outcome(raw: bytes, end: str = "open", methods: tuple[bytes, ...] = (b"GET",)) -> Outcome:
    return Outcome(split_responses(raw, list(methods)), end, raw)


def _response(*headers: bytes, status: bytes = b"HTTP/1.1 200 OK", body: bytes = b"") -> bytes:
    return b"\r\n".join([status, *headers]) + b"\r\n\r\n" + body


SPLITS = {
    "length": (_response(b"Content-Length: 2", body=b"ab") * 2, [b"ab", b"ab"], [True, True]),
    "surplus": (_response(b"Content-Length: 2", body=b"abcd"), [b"ab", b"cd"], [True, False]),
    "short": (_response(b"Content-Length: 5", body=b"ab"), [b"ab"], [False]),
    "until close": (_response(body=b"ab\r\n\r\nc"), [b"ab\r\n\r\nc"], [False]),
    "interim": (
        _response(status=b"HTTP/1.1 100 Continue") + _response(b"Content-Length: 1", body=b"a"),
        [b"", b"a"], [True, True],
    ),
    "chunked": (
        _response(b"Transfer-Encoding: chunked", body=b"1\r\na\r\n0\r\n\r\n") + b"rest",
        [b"1\r\na\r\n0\r\n\r\n", b"rest"], [True, False],
    ),
    "no message": (b"raw bytes", [b"raw bytes"], [False]),
}


@pytest.mark.parametrize("name", SPLITS)
def test_responses_are_cut_by_their_own_framing(name):
    raw, bodies, complete = SPLITS[name]
    responses = split_responses(raw, [b"GET", b"GET"])
    assert [r.body for r in responses] == bodies
    assert [r.complete for r in responses] == complete


def test_a_head_response_has_no_body_unless_one_was_sent():
    head = _response(b"Content-Length: 4")
    assert split_responses(head, [b"HEAD"]) == [
        Response(b"HTTP/1.1 200 OK", [b"Content-Length: 4"], b"", True)
    ]
    assert split_responses(head + b"body", [b"HEAD"])[0].body == b"body"


def test_only_the_servers_own_date_and_server_are_masked():
    raw = _response(
        b"Server: BaseHTTP/0.6 Python/3.11.7", b"Date: Tue, 24 Nov 2026 03:17:49 GMT",
        b"date: never", b"SERVER: mine", b"Content-Length: 0",
    )
    headers = normalise(_outcome(raw), SERVER).responses[0].headers
    assert headers == [b"Server: *", b"Date: *", b"date: never", b"SERVER: mine",
                       b"Content-Length: 0"]


def test_a_traceback_keeps_the_frames_below_the_doc_root():
    message = (
        "Internal server error loading http://h:8123/x.py:\n  Traceback (most recent call last):\n"
        '    File "/lib/wptserve/handlers.py", line 3, in __call__\n    rv = f()\n         ^^^\n\n'
        '    File "/doc/root/x.py", line 2, in main\n    fail()\n\n'
        '    File "/doc/root/tools/wptserve/wptserve/request.py", line 5, in first\n    raise KeyError(key)\n'
        "  KeyError: b'x'\n"
    )
    body = json.dumps({"error": {"code": 500, "message": message}}).encode()
    raw = _response(b"Content-Length: %d" % len(body), body=body)
    (response,) = normalise(_outcome(raw), SERVER).responses
    assert json.loads(response.body)["error"]["message"] == (
        "Internal server error loading http://h:PORT/x.py:\n  Traceback (most recent call last):\n"
        '    File "DOCROOT/x.py", line 2, in main\n    fail()\n  KeyError: b\'x\''
    )
    assert response.headers == [b"Content-Length: %d" % len(response.body)]


@pytest.mark.parametrize("level", [1, 9])
def test_a_gzip_member_is_compared_by_its_content(level):
    body = gzip.compress(gzip.compress(b"content"), level, mtime=level)
    raw = _response(b"Content-Length: %d" % len(body), body=body)
    (response,) = normalise(_outcome(raw), SERVER).responses
    assert response.body == b"gzip flags 0 (gzip flags 0 (content))"
    assert response.headers == [b"Content-Length: %d" % len(response.body)]
    cut = _response(b"Content-Length: 12", body=body[:12])
    assert normalise(_outcome(cut), SERVER).responses[0].body == body[:12]


def test_a_boundary_of_byte_ranges_is_the_servers_own_affair():
    body = b"\r\n--b1\r\nA: 1\r\n\r\nx\r\n--b1--"
    raw = _response(
        b"Content-Type: multipart/byteranges; boundary=b1", b"Content-Length: %d" % len(body),
        body=body,
    )
    (response,) = normalise(_outcome(raw), SERVER).responses
    assert response.body == b"\r\n--BOUNDARY\r\nA: 1\r\n\r\nx\r\n--BOUNDARY--"
    assert response.headers == [
        b"Content-Type: multipart/byteranges; boundary=BOUNDARY",
        b"Content-Length: %d" % len(response.body),
    ]


def _names(reference: Outcome, ours: Outcome) -> list[str]:
    return [difference.name for difference in differences(reference, ours)]


def _error(exception: str) -> Outcome:
    message = 'at u:\n  Traceback (most recent call last):\n    File "f", line 1, in g\n    h()\n'
    body = json.dumps({"error": {"code": 500, "message": message + exception}}).encode()
    return _outcome(_response(b"Content-Length: %d" % len(body), body=body))


DIFFERENCES = {
    "nothing": (_outcome(_response(b"A: 1")), _outcome(_response(b"A: 1")), []),
    "status": (_outcome(_response(status=b"HTTP/1.1 200 OK")),
               _outcome(_response(status=b"HTTP/1.1 200 Ok")), ["status"]),
    "case": (_outcome(_response(b"A: 1")), _outcome(_response(b"a: 1")), ["header:A"]),
    "order": (_outcome(_response(b"A: 1", b"B: 2")), _outcome(_response(b"B: 2", b"A: 1")),
              ["header-order"]),
    "body": (_outcome(_response(body=b"a")), _outcome(_response(body=b"b")), ["body"]),
    "closed": (_outcome(_response(), "open"), _outcome(_response(), "closed"), ["closed"]),
    "announced": (_outcome(_response(), "closed"),
                  _outcome(_response(b"Connection: close"), "closed"), ["announced-close"]),
    "announced but open": (_outcome(_response(), "open"),
                           _outcome(_response(b"Connection: close"), "open"),
                           ["header:Connection"]),
    "framing": (_outcome(_response(body=b"ab"), "closed"),
                _outcome(_response(b"Content-Length: 2", body=b"ab"), "open"), ["framing"]),
    "wrong framing": (_outcome(_response(body=b"ab"), "closed"),
                      _outcome(_response(b"Content-Length: 3", body=b"ab"), "open"),
                      ["header:Content-Length", "closed"]),
    "exception text": (_error("  KeyError: b'x'"), _error("  KeyError: no such key"),
                       ["exception-text"]),
    "exception type": (_error("  KeyError: b'x'"), _error("  ValueError: b'x'"),
                       ["body", "header:Content-Length"]),
    "count": (_outcome(_response(b"Content-Length: 0") * 2),
              _outcome(_response(b"Content-Length: 0")), ["responses"]),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_has_a_name(name):
    reference, ours, names = DIFFERENCES[name]
    assert _names(reference, ours) == names


REFERENCE = _outcome(_response(body=b"theirs"))
OURS = _outcome(_response(body=b"ours"))


def test_a_difference_nobody_intended_is_reported():
    (wrong,) = Expectations().judge("id", differences(REFERENCE, OURS), OURS)
    assert wrong.startswith("body (response 1):")


def test_an_intended_difference_is_allowed():
    for entry in (Expectation(["id"], "why", ["body"], []),
                  Expectation(["i*"], "why", [], [{"body": "ours"}])):
        assert Expectations([entry]).judge("id", differences(REFERENCE, OURS), OURS) == []


def test_ours_must_be_what_the_entry_says():
    entry = Expectation(["id"], "why", [], [{"body": "other"}])
    (wrong,) = Expectations([entry]).judge("id", differences(REFERENCE, OURS), OURS)
    assert wrong.startswith("ours, response 1, body:")


def test_an_entry_for_one_case_is_stale_when_it_no_longer_differs():
    entry = Expectation(["id"], "why", ["body"], [])
    (wrong,) = Expectations([entry]).judge("id", [], REFERENCE)
    assert wrong == "stale expectation, the reference does the same: why"


def test_a_general_entry_is_stale_when_no_case_differs():
    expectations = Expectations([Expectation(["i*"], "why", ["body"], [])])
    assert expectations.judge("id-1", [], REFERENCE) == []
    assert expectations.stale({"id-1", "id-2"}) == []  # id-2 has not run
    expectations.judge("id-2", [], REFERENCE)
    assert expectations.stale({"id-1", "id-2"}) == ["['i*']: no case differs any more (why)"]
    expectations.judge("id-2", differences(REFERENCE, OURS), OURS)
    assert expectations.stale({"id-1", "id-2"}) == []
    assert expectations.stale({"other"}) == ["['i*']: there is no such case"]


@pytest.mark.parametrize("text", [
    'case = "a"\nignore = ["body"]',
    'case = "a"\nreason = "r"',
    'case = "a"\nreason = "r"\nignore = ["bodies"]',
    'case = "a"\nreason = "r"\nours = { text = "b" }',
    'case = "a"\nreason = "r"\nignores = ["body"]',
])
def test_an_entry_that_says_nothing_or_something_unknown_is_refused(tmp_path, text):
    path = tmp_path / "expectations.toml"
    path.write_text("[[difference]]\n" + text)
    with pytest.raises(ValueError, match="bad entry"):
        Expectations.load(path)


def test_handlers_of_a_tree_are_told_from_other_files():
    handlers = [b"def main(request, response): pass", b"def main(req, res): pass",
                b"import m\nmain = m.main", b"def handle_headers(f, q, s): pass",
                b"@json_handler\ndef main(*a): pass"]
    others = [b"def main(): pass", b"def main(argv): pass", b"main = 5", b"x = 1", b"def (", b""]
    assert [is_handler(source) for source in handlers] == [True] * len(handlers)
    assert [is_handler(source) for source in others] == [False] * len(others)


def test_handlers_are_asked_with_what_they_read_and_as_pages_ask(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.py").write_text(
        "def main(request, response):\n"
        "    if b'token' in request.GET: return request.GET.first(b'mimeType', 0)\n"
        "    return request.GET['x'] + request.GET.get(b'x')\n"
    )
    (tmp_path / "d" / "b.py").write_text("def main(request, response): pass")
    (tmp_path / "d" / "page.html").write_text(
        "<img src=a.py?x=1&amp;y=2><script>f('/d/b.py?token=' + t); g('../no.py?x');"
        "h(`a.py?z=1&${rest}`); i(`${base}?x=.py?`)</script>"
    )
    well_known = tmp_path / ".well-known" / "web-identity"
    well_known.parent.mkdir()
    well_known.write_text("def main(request, response): pass")
    (tmp_path / ".well-known" / "README.md").write_text("Read me.")
    assert handler_urls(tmp_path) == ["/d/a.py", "/d/b.py"]
    assert handler_urls(tmp_path, well_known=True)[2:] == ["/.well-known/web-identity"]
    (filled,) = handler_urls(tmp_path, "filled")
    assert re.fullmatch(r"/d/a.py\?token=[-0-9a-f]{36}&mimeType=text/plain&x=1", filled)
    first, second, third = handler_urls(tmp_path, "used")
    assert (first, second) == ("/d/a.py?x=1&y=2", "/d/a.py?z=1&")
    assert re.fullmatch(r"/d/b.py\?token=[-0-9a-f]{36}", third)


def test_of_answers_to_head_a_traceback_shows_only_its_length():
    def names(status: bytes) -> list[str]:
        answers = [
            Answer(_outcome(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, length)), False, 0)
            for length in (5, 7)
        ]
        return [difference.name for difference in compare_heads(*answers)]

    assert names(b"500 Internal Server Error") == ["exception-text"]
    assert names(b"200 OK") == ["header:Content-Length"]


def test_over_http2_a_failed_hook_is_told_from_other_differences():
    hint, end = ("head", [(b":status", b"103")]), ("end",)
    failed = ("head", [(b":status", b"500")])

    def names(reference: list, subject: list) -> list[str]:
        answers = [
            Answer(outcome_of({1: events} if events else {}), ("end",) not in events, 0)
            for events in (reference, subject)
        ]
        return [difference.name for difference in compare_http2(*answers)]

    assert names([], [failed, ("data", b"why"), end]) == ["failed-hook"]
    assert names([hint], [hint, ("reset", 2)]) == ["failed-hook"]
    assert names([hint, ("head", [(b":status", b"200")]), end], [hint, failed, end]) == ["status"]
    assert names([], [("head", [(b":status", b"200")]), end]) == ["responses"]


def test_a_sweep_tells_random_answers_from_different_ones():
    found = differences(REFERENCE, OURS)
    assert classify([], [])[0] == "same"
    assert classify(found, found)[0] == "non-deterministic"
    assert classify([], found)[0] == "different"
    closed = _outcome(_response(), "closed")
    framed = _outcome(_response(b"Content-Length: 0"), "open")
    assert classify([], differences(closed, framed))[0] == "same apart from intended differences"


URLS = {
    'x = "a.js?pipe=sub";': ["/d/a.js?pipe=sub"],
    "x = '../a.js?b=1&pipe=header(X, y)';": ["/a.js?b=1&pipe=header(X,%20y)"],
    "x = 'http://{{host}}:{{ports[http][0]}}/a?pipe=sub';": ["/a?pipe=sub"],
    "x = '{{location[server]}}/a?pipe=sub';": ["/a?pipe=sub"],
    "x = `a?pipe=status(204)`": ["/d/a?pipe=status(204)"],
    "x = 'a?pipe=header(X,a\\\\,b)'": ["/d/a?pipe=header(X,a\\,b)"],
    "x = 'a?pipe=sub&r=' + Math.random()": ["/d/a?pipe=sub&r="],
    "x = `${a}?pipe=sub`": [], "x = b + '?pipe=sub'": [], "x = 'a?pipe=header(X,' + v + ')'": [],
    "x = 'a?pipe='": [], "x = 'a?pipe=sub|'": [], "x = 'a?pipe=sub": [], "a?pipe=sub": [],
}


@pytest.mark.parametrize("source", URLS)
def test_piped_urls_are_read_out_of_scripts(source):
    assert urls_in(source, pathlib.Path("d/f.js")) == URLS[source]


def test_piped_urls_are_read_out_of_markup():
    text = (
        '<img src="a.png?x&amp;pipe=trickle(d1)"><link href=b.css?pipe=sub>'
        "<style>@import url(c.css?pipe=status(404));</style>"
        "<script>var a = \"<script src='d.js?pipe=header(A,b)'>\"</script>"
    )
    assert urls_in(text, pathlib.Path("f.html")) == [
        "/a.png?x&pipe=trickle(d1)", "/b.css?pipe=sub", "/c.css?pipe=status(404)",
        "/d.js?pipe=header(A,b)",
    ]


def test_header_files_speak_of_their_targets():
    files = [pathlib.Path("d") / name for name in [
        "a b.html", "a b.html.headers", "c.js.sub.headers", "e.py", "e.py.headers", "f.txt",
    ]]
    assert header_targets(files) == ["/d/a%20b.html", "/d/c.js"]
    whole = header_targets([*files, pathlib.Path("d/__dir__.headers")])
    assert "/d/f.txt" in whole and "/d/e.py" not in whole


def test_a_static_answer_may_have_a_length_and_its_own_words():
    def answer(raw: bytes) -> Answer:
        return Answer(_outcome(raw, "closed"), False, 0.0)

    framed = answer(_response(b"Content-Length: 4", body=b"file"))
    assert [d.name for d in compare_static(answer(_response(body=b"file")), framed)] == ["framing"]
    assert [d.name for d in compare_static(answer(_response(body=b"fil")), framed)] == [
        "framing", "body"
    ]
    failed = b'{"error": {"code": 500, "message": "Internal server error loading u:\\n  %s"}}'
    words = [answer(_response(body=failed % text)) for text in (b"theirs", b"ours")]
    assert [d.name for d in compare_static(*words)] == ["exception-text"]
