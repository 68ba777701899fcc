"""HTTP/2: every hook and every method that writes, asked over frames of both servers."""

import concurrent.futures
import os
import pathlib
import re

import pytest

import servers
from http2_client import ask

WRITES = [
    "whole", "unended", "ended", "last", "file", "long", "push", "push_next", "encode",
    "raw_headers", "raw_headers_end", "raw_invalid", "raw_data", "raw_continuation", "raw_after",
    "raw_elsewhere",
]
CASES = {
    "http2-data": ("/http2/data.py", "POST", [], [b"hello world!"]),
    "http2-data-frames": ("/http2/data.py", "POST", [], [b"first", b"second"]),
    "http2-data-empty": ("/http2/order.py", "POST", [], [b"", b"first", b"", b"", b"second", b""]),
    "http2-headers-data": ("/http2/headers_data.py", "POST", [], [b"hello world!"]),
    "http2-headers-alone": ("/http2/headers_data.py",),
    "http2-order": ("/http2/order.py?q", "POST", [], [b"a", b"bc"]),
    "http2-order-without-body": ("/http2/order.py",),
    "http2-echo": ("/http2/echo.py", "POST", [], [b"one", b"two", b"three"]),
    "http2-main": ("/http2/plain.py",),
    "http2-main-head": ("/http2/plain.py", "HEAD"),
    "http2-main-after-body": ("/http2/plain.py", "POST", [], [b"body"]),
    "http2-parts": ("/http2/parts.py",),
    "http2-error": ("/http2/error.py",),
    "http2-nothing": ("/http2/nothing.py",),
    "http2-missing": ("/http2/no-such.py",),
    "http2-missing-file": ("/http2/no-such.txt",),
    "http2-file": ("/http2/file.txt",),
    "http2-file-head": ("/http2/file.txt", "HEAD"),
    "http2-file-range": ("/http2/file.txt", "GET", [("range", "bytes=2-5")]),
    "http2-file-pipe": ("/http2/file.txt?pipe=status(299)|header(X-P,q)",),
    "http2-file-slice": ("/http2/file.txt?pipe=slice(2,8)",),
    "http2-request": ("/http2/request.py?q=1&r", "GET", [("x-a", "1"), ("x-b", "2"), ("x-a", "3")]),
    "http2-handler": ("/http2/handler.py?q", "POST", [("x-a", "1")], [b"body"]),
    **{f"http2-write-{how}": (f"/http2/write.py?how={how}",) for how in WRITES},
}


@pytest.fixture(scope="module")
def http2_pair(tmp_path_factory: pytest.TempPathFactory, doc_root):
    """Both servers, over HTTP/2 without TLS."""
    work = tmp_path_factory.mktemp("http2").resolve()
    with servers.start_reference(doc_root, work, http2=True) as reference:
        with servers.start_ours(doc_root, work) as ours:
            yield ours, reference


def outcome(server: servers.Server, case: tuple) -> dict:
    """The exchange without what differs by the port and the place."""

    def plain(value):
        if isinstance(value, bytes):
            # An error's traceback is the server's own; whose file it is about counts.
            value = value.replace(str(server.doc_root).encode(), b"DOCROOT")
            value = re.sub(rb"(Traceback \(most recent call last\):).*\\n  (?=\w+: )", rb"\1 ", value)
            return re.sub(rb"https?2?://[^/ ]+:\d+/", b"URL/", value)
        if isinstance(value, (list, tuple)):
            return tuple(plain(item) for item in value)
        return value

    streams = {number: plain(stream) for number, stream in ask(server.address, *case).items()}
    # The length of a message that names the URL differs with the URL.
    for number, stream in streams.items():
        if any(part[0] == "data" and b"URL/" in part[1] for part in stream):
            streams[number] = re.sub(rb"\(b'content-length', b'\d+'\)", b"LENGTH", repr(stream).encode())
    return streams


@pytest.mark.parametrize("name", CASES)
def test_http2(http2_pair, name: str) -> None:
    """Both servers send the same frames, but for how content is cut into them."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ours, reference = pool.map(lambda server: outcome(server, CASES[name]), http2_pair)
    assert ours == reference


# What the reference gets wrong over HTTP/2, and what it lacks.


def test_the_url_the_host_the_body_and_the_cookies_are_right(http2_pair) -> None:
    """The reference has `http2://` and an address, no Host, an empty body, the last cookie."""
    ours, _ = http2_pair
    fields = [("cookie", "a=1"), ("cookie", "b=2")]
    streams = ask(ours.address, "/http2/mended.py", "POST", fields, [b"bo", b"dy"])
    assert streams[1][1] == ("data", b"('http', b'a.test:80', b'body', b'2')")


def test_a_handler_may_write_as_over_http1(http2_pair) -> None:
    """The reference has no `write_status` over HTTP/2."""
    ours, _ = http2_pair
    head, data, end = ask(ours.address, "/http2/http1.py")[1]
    assert head[1][:2] == [(b":status", b"221"), (b"x-a", b"b")]
    assert not {b"connection", b"transfer-encoding"} & {name for name, _ in head[1]}
    assert (data, end) == (("data", b"plain"), ("end",))


def test_content_after_the_head_is_content_alone(http2_pair) -> None:
    """The reference has no `write_content` over HTTP/2; over HTTP/1.1 slow handlers write so."""
    ours, _ = http2_pair
    head, data, end = ask(ours.address, "/http2/head_then_content.py")[1]
    assert head == ("head", [(b":status", b"222"), (b"x-a", b"b")])
    assert (data, end) == (("data", b"first second third"), ("end",))


def test_a_hook_that_fails_is_answered(http2_pair) -> None:
    """The reference leaves its client waiting."""
    ours, reference = http2_pair
    head, *_ = ask(ours.address, "/http2/failing_hook.py")[1]
    assert head[1][0] == (b":status", b"500")
    assert not ask(reference.address, "/http2/failing_hook.py")


def test_a_large_upload_arrives(http2_pair) -> None:
    """The reference hangs beyond 64 KiB."""
    ours, _ = http2_pair
    frames = [b"x" * 10_000] * 6
    assert ask(ours.address, "/http2/echo.py", "POST", [], frames)[1][1] == ("data", b"x" * 60_000)


def test_pipes_end_streams_and_not_connections(http2_pair) -> None:
    """`reset` is RST_STREAM; `close` ends the stream early; `hints` is an informational head."""
    ours, _ = http2_pair
    file = "/http2/file.txt?pipe="
    assert ask(ours.address, file + "reset(3)")[1][1:] == [("data", b"a s"), ("reset", 2)]
    assert ask(ours.address, file + "close(3)")[1][1:] == [("data", b"a s"), ("end",)]
    hints, head, *_ = ask(ours.address, file + "hints(%3C/x%3E)")[1]
    assert hints == ("head", [(b":status", b"103"), (b"link", b"</x>")])
    assert head[1][0] == (b":status", b"200")


# The handlers of a real tree.

TREE = os.environ.get("WPT_ROOT")
TREE_CASES = {
    "redirect": ("/fetch/api/resources/redirect.h2.py?redirect_status=307&location=/x",),
    "redirect-body": ("/fetch/api/resources/redirect.h2.py?location=/x", "POST", [], [b"body"]),
    "echo": ("/fetch/api/resources/echo-content.h2.py", "POST", [], [b"one", b"two"]),
    "echo-without-body": ("/fetch/api/resources/echo-content.h2.py",),
    "script": ("/service-workers/service-worker/resources/empty.h2.js",),
    **{
        f"wptserve-{name}": (f"/tools/wptserve/tests/functional/docroot/test_h2_{name}.py", "POST", [], [b"hello"])
        for name in ("data", "headers", "headers_data")
    },
}


@pytest.fixture(scope="module")
def tree_pair(tmp_path_factory: pytest.TempPathFactory):
    """Both servers over a real tree, over HTTP/2 without TLS."""
    work, root = tmp_path_factory.mktemp("tree").resolve(), pathlib.Path(TREE).resolve()
    with servers.start_reference(root, work, http2=True) as reference:
        with servers.start_ours(root, work) as ours:
            yield ours, reference


@pytest.mark.skipif(not TREE, reason="WPT_ROOT names no tree")
@pytest.mark.parametrize("name", TREE_CASES)
def test_http2_tree(tree_pair, name: str) -> None:
    """The handlers of frames that web-platform-tests has."""
    ours, reference = (outcome(server, TREE_CASES[name]) for server in tree_pair)
    assert ours == reference
