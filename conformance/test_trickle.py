"""The trickle pipe: its syntax, its head, its framing, and that it waits."""

import time

import pytest

from case import Case, get, parametrize, request, send
from wire import Step, exchange

DIGITS = "/pipes/digits.txt"
# Longer than any delay here: a trickled response ends by its close.
SLOW = 2.0


def _trickled(id: str, pipe: str, path: str = DIGITS) -> Case:
    return get(f"trickle-{id}", f"{path}?pipe={pipe}", quiet=SLOW)


TRICKLE = [
    _trickled(id, f"trickle({argument})")
    for id, argument in {
        "delay": "d0.05", "no-delay": "d0", "bytes": "3", "bytes-beyond": "100", "bytes-all": "10",
        "zero-bytes": "0", "bytes-delay": "3:d0.02", "delay-bytes": "d0.02:3",
        "delay-bytes-delay": "d0.02:3:d0.02", "repeat": "3:d0.02:r2",
        "repeat-one-byte": "1:d0.01:r2",
        "repeat-delay-first": "d0.01:4:r2", "repeat-four": "2:d0.01:3:d0.02:r4",
        "repeat-two-of-four": "5:d0.02:1:d0.01:r2", "repeat-more-than-there-are": "3:d0.01:r6",
        "repeat-bytes-only": "3:r2", "repeat-not-last": "2:r2:3", "repeat-then-delay": "3:r2:d0.01",
        "exponent": "d1e-2", "delay-spaced": "d+0.01+", "bytes-plus": "%2B3:d0.01",
        "bytes-spaced": "+3+:d0.01", "negative-bytes": "-3", "zero-bytes-then-more": "0:d0.01:4",
        "delay-underscore": "d0_0.0_1",
    }.items()
] + [
    _trickled("empty-file", "trickle(3:d0.01:r2)", "/pipes/empty.txt"),
    _trickled("large", "trickle(100000:d0.01:r2)", "/pipes/large.bin"),
    _trickled("template", "trickle(4:d0.01:r2)", "/pipes/tokens.sub.txt"),
    _trickled("cache-control", "trickle(d0.01)", "/pipes/cache-control.txt"),
    _trickled("pragma", "trickle(d0.01)", "/pipes/pragma.txt"),
    _trickled("expires", "trickle(d0.01)", "/pipes/expires.txt"),
    _trickled("after-cache-control", "header(cache-CONTROL,own)|trickle(d0.01)"),
    _trickled("after-expires", "header(Expires,own)|trickle(d0.01)"),
    _trickled("then-cache-control", "trickle(d0.01)|header(Cache-Control,own)"),
    _trickled("after-gzip", "gzip|trickle(5:d0.01:r2)"),
    _trickled("after-slice", "slice(2)|trickle(3:d0.01:r2)"),
    _trickled("after-length", "header(Content-Length,10)|trickle(3:d0.01:r2)"),
    _trickled("then-slice", "trickle(3:d0.01:r2)|slice(2,5)"),
    _trickled("then-gzip", "trickle(3:d0.01:r2)|gzip"),
    _trickled("then-sub", "trickle(3:d0.01:r2)|sub", "/pipes/tokens.txt"),
    _trickled("then-status", "trickle(d0.01)|status(203)"),
    _trickled("twice", "trickle(3:d0.01:r2)|trickle(4:d0.01:r2)"),
    _trickled("connection-close", "header(Connection,close)|trickle(d0.01)"),
    _trickled("chunked", "header(Transfer-Encoding,chunked)|trickle(d0.01)"),
    _trickled("missing-file", "trickle(d0.01)", "/pipes/none.txt"),
    _trickled("redirect", "trickle(d0.01)", "/pipes/folder"),
    _trickled("listing", "trickle(d0.01)", "/pipes/folder/"),
    send("trickle-head", request(f"{DIGITS}?pipe=trickle(d5)", "HEAD"), quiet=SLOW),
    send("trickle-post", request(f"{DIGITS}?pipe=trickle(d5)", "POST", body=b""), quiet=SLOW),
    send("trickle-http10", request(f"{DIGITS}?pipe=trickle(d0.01)", version="HTTP/1.0"),
         quiet=SLOW),
    *[get(f"trickle-fails-{id}", f"{DIGITS}?pipe={pipe}")
      for id, pipe in {
          "none": "trickle", "empty": "trickle()", "two": "trickle(d1,d1)", "text": "trickle(x)",
          "delay-empty": "trickle(d)", "delay-text": "trickle(dx)", "bytes-float": "trickle(1.5)",
          "repeat-odd": "trickle(1:d0.01:r3)", "repeat-empty": "trickle(1:r)",
          "repeat-text": "trickle(1:rx)", "upper-case": "trickle(D1)",
          "empty-item": "trickle(1::d1)",
          "trailing-colon": "trickle(d0.01:)", "two-delays": "trickle(d0.01:d0.01)",
          "two-bytes": "trickle(1:2)", "two-repeats": "trickle(1:d0.01:r2:r2)",
          "null": "trickle(null)", "unit": "trickle(d1s)",
      }.items()],
    # The reference finds out only when it has sent the head.
    *[_trickled(f"delay-{id}", f"trickle({argument})")
      for id, argument in {"negative": "d-1", "nan": "dnan", "infinite": "dinf"}.items()],
]

HANDLERS = [
    get(f"trickle-handler-{handler}", f"/pipes/{handler}.py?pipe=trickle(4:d0.01:r2)", quiet=SLOW)
    for handler in ["none", "text", "pair", "generator", "file", "length", "cache", "writer",
                    "empty"]
]


@parametrize(TRICKLE)
def test_trickle(pair, case):
    pair.check(case)


@parametrize(HANDLERS)
def test_handlers(pair, case):
    pair.check(case)


@pytest.mark.parametrize("pipe, least", [
    ("trickle(d0.3)", 0.3), ("trickle(5:d0.3)", 0.3), ("trickle(d0.1:5:d0.2)", 0.3),
    ("trickle(4:d0.1:r2)", 0.3), ("trickle(d0.2)|trickle(d0.2)", 0.2),
])
def test_a_trickle_takes_at_least_its_delays(server, pipe, least):
    started = time.monotonic()
    outcome = exchange(
        server.address, [Step(request(f"{DIGITS}?pipe={pipe}"))], [b"GET"], quiet=SLOW, probe=False
    )
    assert outcome.responses[0].body == b"0123456789"
    assert time.monotonic() - started >= least


def test_the_head_of_a_trickle_comes_before_its_delay(server):
    outcome = exchange(
        server.address, [Step(request(f"{DIGITS}?pipe=trickle(d9)"))], [b"GET"],
        quiet=0.5, probe=False,
    )
    assert outcome.responses[0].status == b"HTTP/1.1 200 OK"
    assert outcome.responses[0].body == b""
