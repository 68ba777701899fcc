"""WebSocket: the same conversations with ours and with pywebsocket3, for each hook and API."""

import concurrent.futures
import dataclasses
import os
import pathlib
import sys

import pytest

import websocket_servers
from case import parametrize
from compare import differences
from expectations import Expectations
from websocket import (
    BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Deflater, binary, close, converse, frame,
    handshake, masked_values, text,
)

SUBJECT = os.environ.get("SUBJECT", "ours")
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


@dataclasses.dataclass(frozen=True)
class Conversation:
    """A handshake, and what the client says then; see `converse`."""

    id: str
    opening: bytes
    steps: tuple[bytes | int | None, ...] = ()
    raw: bool = False
    quiet: float = 0.7


def talk(id: str, resource: str, *steps: bytes | int | None, fields: tuple[str, ...] = ()) -> Conversation:
    """A conversation after a handshake."""
    return Conversation(f"ws-{id}", handshake(resource, *fields), steps)


def ask(id: str, resource: str = "/echo", *fields: str, raw: bool = True, **options) -> Conversation:
    """A handshake, or what is none; the connection ends with its answer."""
    opening = handshake(resource, *fields, **options)
    return Conversation(f"ws-{id}", opening, (close(1000),), raw)


def deflated(id: str, offer: str, *messages: str, resource: str = "/processors", **how) -> Conversation:
    """Messages that a client with an extension compresses."""
    deflater = Deflater(**how)
    sent = [frame(TEXT, deflater.compress(m.encode()), rsv=4) for m in messages]
    steps = [step for message in sent for step in (message, 1)]
    extension = f"Sec-WebSocket-Extensions: permessage-deflate{offer}"
    return talk(f"deflate-{id}", resource, *steps, close(1000), fields=(extension,))


def plain(id: str, opening: bytes) -> Conversation:
    """Plain HTTP on the port for WebSocket."""
    return Conversation(f"ws-http-{id}", opening, (), True)


FIN, MORE = True, False

HANDSHAKES = [
    ask("accepted", raw=False),
    ask("lower-case-upgrade", "/echo", "Upgrade: WebSocket", "Connection: keep-alive, upgrade", raw=False),
    ask("absolute-uri", "ws://localhost:80/echo?a", raw=False),
    ask("absolute-uri-bad", "ws://localhost:x/echo"),
    ask("absolute-uri-http", "http://localhost/echo"),
    ask("query", "/echo?a=b&c", raw=False),
    ask("fragment", "/echo#frag"),
    ask("no-upgrade", without=("Upgrade",)),
    ask("bad-upgrade", "/echo", "Upgrade: h2c"),
    ask("no-connection", without=("Connection",)),
    ask("bad-connection", "/echo", "Connection: keep-alive"),
    ask("malformed-connection", "/echo", "Connection: a b"),
    ask("no-host", without=("Host",)),
    ask("no-key", without=("Sec-WebSocket-Key",)),
    ask("short-key", "/echo", "Sec-WebSocket-Key: AAAA"),
    ask("two-keys", "/echo", "Sec-WebSocket-Key: a, b"),
    ask("key-bits", "/echo", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR=="),
    ask("no-version", without=("Sec-WebSocket-Version",)),
    ask("old-version", "/echo", "Sec-WebSocket-Version: 8"),
    ask("two-versions", "/echo", "Sec-WebSocket-Version: 13, 8"),
    ask("post", method="POST"),
    ask("head", method="HEAD"),
    ask("http10", version="HTTP/1.0"),
    ask("one-protocol", "/echo", "Sec-WebSocket-Protocol: a", raw=False),
    ask("protocols", "/echo", "Sec-WebSocket-Protocol: a, b ,c", raw=False),
    ask("malformed-protocol", "/echo", "Sec-WebSocket-Protocol: a b"),
    ask("empty-protocol", "/echo", "Sec-WebSocket-Protocol: "),
    ask(
        "lines-connection", "/lists", "Connection: keep-alive", "Connection: x, Upgrade", raw=False
    ),
    ask("lines-connection-without", "/echo", "Connection: keep-alive", "Connection: close"),
    ask(
        "lines-protocol", "/lists", "Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Protocol: c",
        raw=False,
    ),
    ask("lines-protocol-malformed", "/echo", "Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b c"),
    ask(
        "lines-extension", "/lists", "Sec-WebSocket-Extensions: foo; a=1",
        "Sec-WebSocket-Extensions: bar", raw=False,
    ),
    ask("protocol-not-chosen", "/default_close", "Sec-WebSocket-Protocol: a"),
    ask("protocol-unasked", "/failing?protocol"),
    ask("protocol-no-token", "/failing?bad-protocol", "Sec-WebSocket-Protocol: a"),
    ask("malformed-extension", "/echo", "Sec-WebSocket-Extensions: a;"),
    ask("unknown-extension", "/echo", "Sec-WebSocket-Extensions: foo; bar=1", raw=False),
    ask("empty-extension", "/echo", "Sec-WebSocket-Extensions: ", raw=False),
    ask("handshake-value-error", "/failing?handshake-value"),
    ask("handshake-status", "/failing?handshake-status"),
    ask("handshake-version", "/failing?handshake-version"),
    ask("handshake-abort", "/failing?handshake-abort"),
    ask("extra-headers", "/extra_headers", raw=False),
    ask("raw-before", "/raw?before", raw=True),
    ask("sub-directory", "/sub/deep", raw=False),
    ask("no-handler", "/nothing"),
    ask("file-name", "/echo_wsh.py"),
    ask("escaped-name", "/ech%6f"),
    ask("broken-syntax", "/broken_syntax"),
    ask("broken-import", "/broken_import"),
    ask("broken-no-transfer", "/broken_no_transfer"),
    ask("broken-not-callable", "/broken_not_callable"),
]

RAW = [
    talk("reads", "/reads", b"abc", 1, b"12345", 4, b"ab", b"cd", 9, b"rest", None),
    Conversation("ws-raw-instead", handshake("/raw?instead"), (b"12345",), True),
    talk("raw-after", "/raw?after", 2, b"rawr", 1, text("frame"), 1, b"abc", 1, close(1000)),
]

MESSAGES = [
    talk("echo", "/echo", text("a"), 1, text("\xe9\u2028\U0001f600"), 1, binary(b"\x00\xff"), 1, text(""), 1,
         binary(b""), 1, close(1000, "done")),
    talk("bye", "/echo", text("bye"), 2, close(1000)),
    talk("fragments", "/echo", text("a", fin=MORE), frame(CONTINUATION, b"", fin=MORE),
         frame(CONTINUATION, b"b"), 1, close()),
    talk("ping-within", "/echo", text("a", fin=MORE), frame(PING, b"p"), 1, frame(CONTINUATION, b"b"), 1, close(3000)),
    talk("pong-unasked", "/echo", frame(PONG, b"p"), text("a"), 1, close(4999, "x")),
    talk("many-at-once", "/echo", b"".join(text(str(n)) for n in range(100)), 100, close(1000)),
    talk("byte-by-byte", "/echo", *(bytes([b]) for b in text("slow")), 1, close(1000)),
    talk("with-handshake", "/echo", 1, close(1000)),
    talk("parts", "/fragments", 10, close(1000)),
    talk("big-text", "/big?300000", text("z" * 300_000), 1, close(1000)),
    talk("big-deflated", "/big?300000", frame(TEXT, Deflater().compress(b"z" * 300_000), rsv=4), 1, close(1000),
         fields=(DEFLATE,)),
    talk("long-length", "/echo", b"\x81\xfe\x00\x01mask" + bytes([ord("x") ^ ord("m")]), 1, close(1000)),
    talk("half-closed", "/echo", text("a"), 1),
]
MESSAGES[7] = Conversation("ws-with-handshake", handshake("/echo") + text("early"), (1, close(1000)))

REQUEST = [
    talk("attributes", "/attributes?a=b", 6, text("x"), 2, close(1001, "going"),
         fields=("Origin: http://o.test", "Sec-WebSocket-Protocol: one, two",
                 "Sec-WebSocket-Extensions: foo; a=1, permessage-deflate; server_max_window_bits=10")),
    talk("attributes-bare", "/attributes", 6, binary(b"x"), 2, close()),
    talk("headers-in", "/headers_in", 8, close(1000),
         fields=("X-Multi: 1", "X-High: \xe9", "x-multi: 2", "X-Last:  spaced  ")),
    talk("functions", "/functions", 60, close(1000)),
]

FAILURES = [
    talk(f"failing-{mode}", f"/failing?{mode}", 1, *steps)
    for mode, steps in [
        ("value", ()), ("abort", ()), ("terminated", ()), ("bad-operation", (1, close(1011))),
        ("send-after-close", (1, close(4000))), ("receive-after-close", (close(1000), 1)),
        ("binary-text", (1, close(1011))), ("text-bytes", ()), ("mixed", (2, close(1011))),
        ("surrogate", ()), ("bad-code", (1, close(1011))), ("low-code", (1, close(1011))),
        ("code-none-reason", (1, close(1011))), ("long-ping", (1, close(1011))),
    ]
]

CLOSES = [
    *(talk(f"close-{number}", "/closing", text(call), 1, close(1000)) for number, call in enumerate(
        ["(1000,)", "(1001, 'away')", "(4000, '\xe9')", "(None,)", "(1002,)", "(3000, '', False)"])),
    talk("close-both", "/closing", text("(1000,)") + close(1000), 1),
    talk("close-not-answered", "/closing", text("(1000,)"), 1, text("instead")),
    *(talk(f"passive-{number}", f"/passive?{answer}", close(1000, "bye"), 1) for number, answer in enumerate(
        ["(3333,'mine')", "(None,None)", "(None,'reason')", "(1000,None)", "(1005,'')", "3", "(5000,'')"])),
    talk("passive-default", "/default_close", close(3001, "x"), 1),
    talk("passive-not-callable", "/passive_not_callable", close(3001, "x"), 1),
    talk("no-code", "/echo", close(), 1),
]

PINGS = [
    talk("pings", "/pings", 2, frame(PONG, b"text"), frame(PING, b"mine"), 1, text("x"), 2, close(1000)),
    talk("ping-handlers", "/pings?handlers", 2, frame(PONG, b"bytes"), frame(PING, b"mine"), text("x"), 2, close(1000)),
    talk("threads", "/threads", 1, text("one"), 1, text("two"), 1, close(1000)),
]

BROKEN = [
    talk("unmasked", "/echo", text("a", key=None)),
    talk("long-ping", "/echo", frame(PING, b"x" * 126)),
    talk("fragmented-ping", "/echo", frame(PING, b"x", fin=MORE)),
    talk("continuation-first", "/echo", frame(CONTINUATION, b"x")),
    talk("text-within", "/echo", text("a", fin=MORE), text("b")),
    talk("bad-utf8", "/echo", frame(TEXT, b"\xff"), 1, close(1007)),
    talk("bad-utf8-fragment", "/echo", frame(TEXT, b"\xff", fin=MORE), frame(CONTINUATION, b"a"), 1, close(1007)),
    talk("reserved-bit", "/echo", text("a", rsv=2), 1, close(1002)),
    talk("reserved-opcode", "/echo", frame(3, b"a"), 1, close(1002)),
    talk("unsupported-caught", "/unsupported", text("a", rsv=1), 1, frame(5, b""), 1, text("b"), 1, close(1000)),
    talk("close-one-byte", "/echo", frame(CLOSE, b"\x03")),
    talk("close-bad-code", "/default_close", close(999), 1),
    talk("close-reserved-code", "/default_close", close(1005), 1),
    talk("close-bad-reason", "/default_close", close(1000, b"\xff"), 1),
    talk("huge-length", "/echo", b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xffmask"),
]

EXTENSIONS = [
    deflated("plain-offer", "", "one", "one", ""),
    deflated("no-context", "; server_no_context_takeover", "one", "one"),
    deflated("bits", "; server_max_window_bits=9", "one" * 100, "one" * 100),
    deflated("bits-8", "; server_max_window_bits=8", "one" * 100),
    deflated("client-bits-offered", "; client_max_window_bits", "one", window_bits=10),
    deflated("all-server", "; server_no_context_takeover; server_max_window_bits=12; client_max_window_bits", "one", "two"),
    deflated("second-offer", "; foo, permessage-deflate", "one"),
    deflated("forgets-each", "", "one", "one", no_context_takeover=True),
    deflated("set-bits", "; client_max_window_bits", "one", resource="/processors?bits", window_bits=10),
    deflated("set-forget", "", "one", "one", resource="/processors?forget", no_context_takeover=True),
    deflated("bfinal", "", "one", "two", resource="/processors?bfinal"),
    deflated("outgoing-off", "", "one", resource="/processors?plain"),
    deflated("outgoing-toggled", "", "one", "plain", "two", "compressed", "three"),
    deflated("parts", "", "parts"),
    *(talk(f"deflate-{id}", resource, text("a"), 1, close(1000), fields=(f"Sec-WebSocket-Extensions: {value}",))
      for id, resource, value in [
          ("declined-unknown", "/processors", "permessage-deflate; x"),
          ("declined-bits", "/processors", "permessage-deflate; server_max_window_bits=7"),
          ("declined-no-bits", "/processors", "permessage-deflate; server_max_window_bits"),
          ("declined-value", "/processors", "permessage-deflate; server_no_context_takeover=1"),
          ("declined-set-bits", "/processors?bits", "permessage-deflate"),
          ("removed", "/processors?none", "permessage-deflate"),
          ("inactive", "/processors?inactive", "permessage-deflate"),
          ("client-no-context", "/processors", "permessage-deflate; client_no_context_takeover"),
          ("client-bits-value", "/processors", "permessage-deflate; client_max_window_bits=12"),
      ]),
    talk("filters", "/filters", frame(TEXT, b"olleh"), 3, frame(BINARY, b"\xe9cba"), 3,
         frame(TEXT, b"ba", fin=MORE), frame(CONTINUATION, b"dc"), 3, frame(PING, b"1"), 1, close(1000)),
    talk("deflate-off-compressed", "/echo", frame(TEXT, Deflater().compress(b"a"), rsv=4), 1, close(1002)),
    talk("deflate-corrupt", "/echo", frame(TEXT, b"\xff\xff\xff", rsv=4), 1, close(1002), fields=(DEFLATE,)),
    talk("deflate-bit-within", "/echo", frame(TEXT, Deflater().compress(b"a"), rsv=4, fin=MORE),
         frame(CONTINUATION, b"", rsv=4), 1, close(1002), fields=(DEFLATE,)),
]

HTTP = [
    plain("file", b"GET /plain.txt HTTP/1.1\r\nHost: a\r\n\r\n"),
    plain("file-head", b"HEAD /plain.txt HTTP/1.1\r\nHost: a\r\n\r\n"),
    plain("file-query", b"GET /plain.txt?x HTTP/1.1\r\nHost: a\r\n\r\n"),
    plain("missing", b"GET /missing HTTP/1.1\r\nHost: a\r\n\r\n"),
    plain("directory", b"GET /sub HTTP/1.1\r\nHost: a\r\n\r\n"),
    plain("listing", b"GET /sub/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    plain("post", b"POST /plain.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"),
    plain("put", b"PUT /plain.txt HTTP/1.1\r\nHost: a\r\n\r\n"),
    plain("http10", b"GET /plain.txt HTTP/1.0\r\n\r\n"),
    plain("handler", b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"),
    plain("handler-post", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
]

CASES = [
    *HANDSHAKES, *RAW, *MESSAGES, *REQUEST, *FAILURES, *CLOSES, *PINGS, *BROKEN, *EXTENSIONS, *HTTP,
]


@pytest.fixture(scope="module")
def websocket_pair(tmp_path_factory: pytest.TempPathFactory):
    """Subject and reference over one directory of handlers."""
    work = tmp_path_factory.mktemp("websocket").resolve()
    ours = SUBJECT == "ours"
    start = websocket_servers.start_ours if ours else websocket_servers.start_reference
    (work / "subject").mkdir()
    with (
        websocket_servers.start_reference(websocket_servers.HANDLERS, work) as reference,
        start(websocket_servers.HANDLERS, work / "subject") as subject,
    ):
        yield subject, reference


def carry_out(case: Conversation, server):
    """The conversation with one server, without what may differ."""
    outcome = converse(server.address, case.opening, case.steps, case.quiet, case.raw)
    for response in outcome.responses:
        response.headers = [masked_values(header) for header in response.headers]
        response.body = response.body.replace(b":%d" % server.port, b":PORT")
    return outcome


@parametrize(CASES)
def test_conversation(websocket_pair, expectations: Expectations, case: Conversation):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ours, reference = pool.map(lambda server: carry_out(case, server), websocket_pair)
    wrong = expectations.judge(case.id, differences(reference, ours), ours)
    if wrong:
        pytest.fail("\n".join([f"{case.id}:", *wrong]), pytrace=False)


def test_module_state_is_shared(websocket_pair):
    for number in (1, 2, 3):
        for server in websocket_pair:
            outcome = converse(server.address, handshake("/state?q"), (1, close(1000)))
            assert outcome.responses[1].body.startswith(b"text b'%dq'" % number), server.name


def test_wrong_files_are_named_in_the_log(websocket_pair):
    subject, _ = websocket_pair
    log = pathlib.Path(f"/proc/{subject.process.pid}/fd/2").resolve().read_text()
    for name in ("broken_syntax", "broken_import", "broken_no_transfer", "broken_not_callable"):
        assert f"{name}_wsh.py" in log
    assert "Traceback" in log or sys.platform != "linux"
