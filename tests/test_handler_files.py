"""Handler files through their life: edited, failing, importing, collected."""

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import running
from client import Crowd, connect, fetch, get, responses

SLEEPS = """
    import time
    def main(request, response):
        time.sleep(float(request.GET.first(b"s")))
        return "slept"
"""

SHORT = """
    def main(request, response):
        return "short"
"""


FAILURES = {
    "exception": "raise ValueError('mine')",
    "exit": "import sys; sys.exit()",
    "exit code": "import sys; sys.exit(3)",
    "interrupt": "raise KeyboardInterrupt()",
    "base exception": "raise BaseException()",
    "stop iteration": "raise StopIteration()",
    "generator exit": "raise GeneratorExit()",
    "recursion": "main(request, response)",
    "recursion through C": "x = []; x.append(x); import functools\n"
                           "        f = functools.partial(main, request, response); f()",
    "nested repr": "x = []\n        for _ in range(10**6): x = [x]\n        return repr(x)",
    "nested JSON": "import json; return json.loads('[' * 10**6)",
    "memory": "bytearray(10**15)",
    "assertion": "assert False",
    "type": "return 1 + ''",
}


def test_failures_are_answered_and_leave_others_alone(serve, write):
    write("sleeps.py", SLEEPS)
    for name, body in FAILURES.items():
        source = f"def main(request, response):\n        {body}\n".replace("        ", "    ")
        write(f"{name.replace(' ', '-')}.py", source)
    server = serve()
    with Crowd(server) as crowd:
        for _ in range(10):
            crowd.ask("/sleeps.py?s=0.3")
        with connect(server, 30) as connection:
            for number, name in enumerate(FAILURES, 1):
                connection.send(get(f"/{name.replace(' ', '-')}.py"))
                response = responses(connection, number)[-1]
                assert response.status == b"HTTP/1.1 500 Internal Server Error", name
                assert json.loads(response.body)["error"]["code"] == 500, name
        assert crowd.answers(20) == [(b"200", b"slept")] * 10
    assert server.process.poll() is None
    assert "ValueError: mine" in server.log()


def test_an_exception_whose_text_is_no_unicode_is_answered_too(serve, write):
    """As the reference does: the lone surrogate is escaped in the JSON."""
    path = write("surrogate.py", """
        def main(request, response):
            raise ValueError("\\udc80")
    """)
    server = serve()
    answer = fetch(server, "/surrogate.py")
    assert answer.status == 500
    assert r"ValueError: \udc80\n" in answer.body.decode()
    running.wait_until(server.log, what="a log line")
    assert server.log().startswith(f"error: {path}:3 failed for ")


def test_an_exception_that_has_no_text_is_answered_too(serve, write):
    path = write("unprintable.py", """
        class Unprintable(Exception):
            def __str__(self):
                raise ValueError("within the text")
            __repr__ = __str__
        def main(request, response):
            raise Unprintable()
    """)
    server = serve()
    assert fetch(server, "/unprintable.py").status == 500
    running.wait_until(server.log, what="a log line")
    assert f"{path}:7" in server.log()


def test_a_module_that_exits_is_a_failure_too(serve, write):
    write("exits.py", "import sys\nsys.exit(0)\n")
    server = serve()
    assert fetch(server, "/exits.py").status == 500
    assert fetch(server, "/exits.py").status == 500


def test_an_edit_is_seen_at_once(serve, write):
    server = serve()
    for number in range(10):
        path = write("edited.py", f"def main(request, response):\n    return '{number}'\n")
        # The same size and, in whole seconds, the same time.
        os.utime(path, ns=(10**18 + number, 10**18 + number))
        assert fetch(server, "/edited.py").body == str(number).encode()


def test_quick_edits_are_seen_at_once(serve, write):
    """As an editor or a test does it: again and again, within the clock tick of the file system."""
    server = serve()
    stale = []
    with connect(server) as connection:
        for number in range(100, 400):
            write("edited.py", f"def main(request, response):\n    return '{number}'\n")
            connection.received = b""
            connection.send(get("/edited.py"))
            if responses(connection, 1)[0].body != str(number).encode():
                stale.append(number)
    assert stale == []


def test_an_edit_is_seen_at_once_among_many_requests(serve, write):
    """A request may rest on what one that came behind it found, never the other way around."""
    source = "def main(request, response):\n    return '{number}'\n"
    write("edited.py", source.format(number=100))
    server = serve()
    over = threading.Event()

    def neighbour() -> None:
        with connect(server) as connection:
            while not over.is_set():
                connection.received = b""
                connection.send(get("/edited.py") * 4)
                responses(connection, 4)

    with ThreadPoolExecutor(4) as pool:
        neighbours = [pool.submit(neighbour) for _ in range(4)]
        try:
            stale = []
            for number in range(101, 120):
                # Long enough for the file to be kept.
                time.sleep(0.12)
                new = write("edited.new", source.format(number=number))
                new.rename(new.with_suffix(".py"))
                if fetch(server, "/edited.py").body != str(number).encode():
                    stale.append(number)
        finally:
            over.set()
        for each in neighbours:
            each.result()
    assert stale == []


def test_a_handler_may_appear_and_go(serve, write):
    server = serve()
    assert fetch(server, "/new.py").status == 404
    path = write("new.py", SHORT)
    assert fetch(server, "/new.py").body == b"short"
    path.unlink()
    assert fetch(server, "/new.py").status == 404
    write("new.py", "def main(:")
    assert fetch(server, "/new.py").status == 500
    write("new.py", SHORT)
    assert fetch(server, "/new.py").body == b"short"


def test_globals_are_fresh_and_helper_modules_stay(serve, write):
    write("helper.py", "count = 0")
    write("counts.py", """
        import helper
        own = 0
        def main(request, response):
            global own
            own += 1
            helper.count += 1
            return f"{own} {helper.count}"
    """)
    server = serve()
    assert [fetch(server, "/counts.py").body for _ in range(3)] == [b"1 1", b"1 2", b"1 3"]


def test_a_handler_may_run_an_event_loop_and_a_process(serve, write):
    write("loop.py", """
        import asyncio, subprocess, sys
        async def say():
            await asyncio.sleep(0.001)
            return subprocess.check_output([sys.executable, "-c", "print('said')"])
        def main(request, response):
            return asyncio.run(say())
    """)
    assert fetch(serve(), "/loop.py").body == b"said\n"


CYCLES = {
    "attributes": "request.response = response",
    "a replaced method": "write = response.writer.write\n"
                         "        response.writer.write = lambda data: write(data) and response",
    "an exception": "raise_and_keep(request)",
}


@pytest.mark.parametrize("how", CYCLES)
def test_a_cycle_through_a_request_is_collected(serve, write, how):
    write("kept.py", "seen = []")
    write("cycles.py", f"""
        import weakref
        import kept
        def raise_and_keep(request):
            try:
                raise ValueError(request)
            except ValueError as error:
                request.error = error
        def main(request, response):
            kept.seen.append(weakref.ref(request))
            {CYCLES[how].replace("        ", "            ")}
            return "x"
    """)
    write("left.py", """
        import gc
        import kept
        def main(request, response):
            gc.collect()
            return str(sum(seen() is not None for seen in kept.seen))
    """)
    server = serve()
    for _ in range(5):
        assert fetch(server, "/cycles.py").body == b"x"
    running.wait_until(lambda: fetch(server, "/left.py").body == b"0", 3, "no request is left")


def test_threads_of_a_handler_live_on(serve, write, doc_root):
    write("thread.py", """
        import threading, time
        def main(request, response):
            def later():
                time.sleep(0.05)
                open(request.doc_root + "/later", "w").close()
            threading.Thread(target=later).start()
            return "x"
    """)
    server = serve()
    assert fetch(server, "/thread.py").body == b"x"
    running.wait_until((doc_root / "later").exists, what="the thread's mark")
