"""Handlers side by side: many, blocked, waiting on one another, busy, failing, given up."""

import json
import time
import uuid

import pytest

import running
from client import (
    Crowd, connect, converse, fetch, get, head, read_to_end, read_until, responses, statuses,
)

MIB = 1024 * 1024

SLEEPS = """
    import time
    def main(request, response):
        time.sleep(float(request.GET.first(b"s")))
        return "slept"
"""

# Sleeps until as many others do.
GATHERS = """
    import time
    import gathering
    def main(request, response):
        gathering.present += 1
        while gathering.present < int(request.GET.first(b"count")):
            time.sleep(0.5)
        return "slept"
"""

SHORT = """
    def main(request, response):
        return "short"
"""

SPINS = """
    import time
    def main(request, response):
        end = time.monotonic() + float(request.GET.first(b"s"))
        while time.monotonic() < end:
            pass
        return "spun"
"""


def test_a_thousand_sleep_at_once(serve, write):
    write("gathering.py", "present = 0")
    write("gathers.py", GATHERS)
    write("sleeps.py", SLEEPS)
    write("short.py", SHORT)
    server = serve()
    fetch(server, "/short.py")
    before = server.descriptors()
    with Crowd(server) as crowd, connect(server) as connection:
        for number in range(1000):
            crowd.ask("/gathers.py?count=1000")
            if number % 100 == 99:
                connection.send(get("/short.py"))
                assert statuses(responses(connection, (number + 1) // 100))[-1] == b"200"
        assert crowd.answers(20) == [(b"200", b"slept")] * 1000
    assert server.peak_memory() < 300 * MIB
    running.wait_until(lambda: server.descriptors() <= before, what="the connections' end")
    # Idle threads end after 10 s.
    running.wait_until(lambda: server.threads() <= 20, 20, "the end of idle threads")
    assert fetch(server, "/sleeps.py?s=0").body == b"slept"


def test_handlers_that_wait_on_one_another(serve, write):
    write("waits.py", """
        import time
        def main(request, response):
            while (value := request.server.stash.take(request.GET.first(b"id"), "/pair")) is None:
                time.sleep(0.01)
            return value
    """)
    write("puts.py", """
        def main(request, response):
            key = request.GET.first(b"id")
            request.server.stash.put(key, b"for " + key, "/pair")
            return "put"
    """)
    server = serve()
    keys = [str(uuid.uuid4()) for _ in range(64)]
    with Crowd(server) as crowd:
        for name in ("waits", "puts"):
            for key in keys:
                crowd.ask(f"/{name}.py?id={key}")
        answers = crowd.answers(20)
    assert answers[:64] == [(b"200", f"for {key}".encode()) for key in keys]
    assert answers[64:] == [(b"200", b"put")] * 64


def test_the_lock_of_the_stash_excludes(serve, write):
    write("counts.py", """
        import time
        KEY = "01234567-89ab-cdef-0123-456789abcdef"
        def main(request, response):
            stash = request.server.stash
            with stash.lock:
                count = stash.take(KEY, "/count") or 0
                time.sleep(0.001)
                stash.put(KEY, count + 1, "/count")
            return str(count)
    """)
    server = serve()
    with Crowd(server) as crowd:
        for _ in range(200):
            crowd.ask("/counts.py")
        answers = crowd.answers(20)
    assert {status for status, _ in answers} == {b"200"}
    assert sorted(int(body) for _, body in answers) == list(range(200))


def test_the_lock_is_let_go_by_a_handler_that_fails(serve, write):
    write("locks.py", """
        def main(request, response):
            with request.server.stash.lock:
                if b"fail" in request.GET:
                    raise ValueError()
            return "locked"
    """)
    server = serve()
    assert fetch(server, "/locks.py?fail").status == 500
    assert fetch(server, "/locks.py").body == b"locked"


def test_handlers_that_sleep_now_and_then(serve, write):
    """Short handlers are run by the thread that has the connections, until one of them sleeps."""
    write("sleeps.py", SLEEPS)
    write("short.py", SHORT)
    write("a.txt", "static")
    server = serve()
    with Crowd(server) as sleepers:
        for _ in range(6):
            # Long enough that a handler is run there again.
            time.sleep(0.3)
            with Crowd(server) as crowd:
                for number in range(12):
                    if number == 4:
                        sleepers.ask("/sleeps.py?s=6")
                    crowd.ask("/short.py")
                    crowd.ask("/a.txt")
                answers = crowd.answers(5)
            assert answers == [(b"200", b"short"), (b"200", b"static")] * 12
        assert not sleepers.selector.select(0)
        assert sleepers.answers(20) == [(b"200", b"slept")] * 6


@pytest.mark.parametrize("busy", [1, 4])
def test_busy_handlers_do_not_stop_short_ones(serve, write, busy):
    write("spins.py", SPINS)
    write("short.py", SHORT)
    write("a.txt", "static")
    server = serve()
    fetch(server, "/short.py")
    with Crowd(server) as crowd:
        for _ in range(busy):
            crowd.ask("/spins.py?s=3")
        time.sleep(0.1)
        for _ in range(20):
            assert fetch(server, "/short.py").body == b"short"
            assert fetch(server, "/a.txt").body == b"static"
        # All of that while the busy ones were at it.
        assert not crowd.selector.select(0)
        assert crowd.answers(20) == [(b"200", b"spun")] * busy


def test_a_handler_in_c_does_not_stop_static_files(serve, write, doc_root):
    write("holds.py", """
        def main(request, response):
            open(request.doc_root + "/started", "w").close()
            return str(sum(range(10**8)))
    """)
    total = 10**8 * (10**8 - 1) // 2
    write("a.txt", "static")
    server = serve()
    with Crowd(server) as crowd:
        crowd.ask("/holds.py")
        running.wait_until((doc_root / "started").exists, what="a running handler")
        assert fetch(server, "/a.txt").body == b"static"
        assert not crowd.selector.select(0)
        assert crowd.answers(60) == [(b"200", str(total).encode())]


def test_a_handler_is_given_up(serve, write):
    write("sleeps.py", SLEEPS)
    write("short.py", SHORT)
    write("streams.py", """
        import time
        def main(request, response):
            response.writer.write("HTTP/1.1 200 OK\\r\\n\\r\\nbegun")
            time.sleep(5)
    """)
    server = serve("--handler-timeout", 0.3)
    (response,) = converse(server, get("/sleeps.py?s=30") + get("/short.py"))
    assert response.status == b"HTTP/1.1 504 Gateway Timeout"
    assert response.header_values(b"connection") == [b"close"]
    reason = "the handler did not finish within 0.3 s"
    assert json.loads(response.body)["error"] == {"code": 504, "message": reason}
    assert reason in server.log()
    with connect(server) as connection:
        connection.send(get("/streams.py"))
        assert read_to_end(connection) == b"HTTP/1.1 200 OK\r\n\r\nbegun"
    assert fetch(server, "/short.py").body == b"short"
    assert fetch(server, "/sleeps.py?s=0.01").body == b"slept"


def test_a_handler_that_was_given_up_learns_it(serve, write, doc_root):
    write("writes.py", """
        import time
        def main(request, response):
            while response.writer.write(b"x"):
                time.sleep(0.01)
            open(request.doc_root + "/noticed", "w").close()
    """)
    write("reads.py", """
        def main(request, response):
            try:
                request.body
            finally:
                open(request.doc_root + "/ended", "w").close()
    """)
    server = serve("--handler-timeout", 0.2)
    with connect(server) as connection:
        connection.send(get("/writes.py"))
        read_to_end(connection)
    running.wait_until((doc_root / "noticed").exists, what="the end of the loop")
    with connect(server) as connection:
        connection.send(head("POST", "/reads.py", "Content-Length: 10") + b"part")
        assert statuses(responses(connection, 1)) == [b"504"]
    running.wait_until((doc_root / "ended").exists, what="the end of the wait")


def test_the_log_names_the_handler_that_was_given_up(serve, write):
    write("sleeps.py", SLEEPS)
    server = serve("--handler-timeout", 0.1)
    assert fetch(server, "/sleeps.py?s=1").status == 504
    assert "/sleeps.py?s=1" in server.log()


def test_a_handler_may_ask_its_own_server(serve, write):
    write("short.py", SHORT)
    write("asks.py", """
        import urllib.request
        def main(request, response):
            depth = int(request.GET.first(b"depth"))
            path = f"/asks.py?depth={depth - 1}" if depth else "/short.py"
            url = f"http://{request.url_parts.netloc}{path}"
            return urllib.request.urlopen(url, timeout=10).read() + b"."
    """)
    server = serve()
    assert fetch(server, "/asks.py?depth=20").body == b"short" + b"." * 21


def test_memory_does_not_grow_with_requests(serve, write):
    write("short.py", SHORT)
    write("fails.py", "def main(request, response):\n    raise ValueError()\n")
    write("stash.py", """
        import uuid
        def main(request, response):
            key = str(uuid.uuid4())
            request.server.stash.put(key, b"x" * 1000)
            return request.server.stash.take(key)
    """)
    write("writes.py", """
        def main(request, response):
            response.writer.write_status(200)
            response.writer.write_header("Content-Length", "1")
            response.writer.end_headers()
            response.writer.write("x")
    """)
    server = serve()

    def ask(times: int) -> None:
        with connect(server, 30) as connection:
            for _ in range(times):
                connection.received = b""
                for name in ("short", "fails", "stash", "writes"):
                    connection.send(get(f"/{name}.py?a=b") * 25)
                responses(connection, 100)

    ask(10)
    before = server.memory()
    assert before < 40 * MIB
    ask(50)
    assert server.memory() - before < 4 * MIB


def test_what_belongs_to_a_thread_does_not_mix(serve, write):
    """Requests that are alive at once each see their own values."""
    write("own.py", """
        import threading, time
        def main(request, response):
            name = request.GET.first(b"name")
            response.headers.set(b"X-Name", name)
            time.sleep(0.05)
            assert request.GET.first(b"name") == name
            response.writer.write_status(200)
            response.writer.write_header("Content-Length", len(name))
            response.writer.end_headers()
            response.writer.write(name)
    """)
    server = serve()
    with Crowd(server) as crowd:
        for number in range(200):
            crowd.ask(f"/own.py?name=n{number}")
        assert crowd.answers(20) == [(b"200", f"n{number}".encode()) for number in range(200)]


def test_a_slow_client_does_not_hold_others(serve, write):
    write("large.py", "def main(request, response):\n    return b'x' * 50_000_000\n")
    write("short.py", SHORT)
    server = serve()
    with connect(server) as connection:
        connection.send(get("/large.py"))
        read_until(connection, b"xxx")
        assert fetch(server, "/short.py").body == b"short"
