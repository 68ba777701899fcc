"""Many servers, many times, beside other threads and processes; the shared stash."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
import weakref

import pytest
from server_harness import OURS, ask, descriptors, route, serving, threads

import wptserve.handlers as handlers
import wptserve.server
from wptserve.stash import Stash, StashError, StashServer, load_env_config

ours_only = pytest.mark.skipif(not OURS, reason="more than the reference promises")


@pytest.fixture
def doc_root(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"file a\n")
    (tmp_path / "h.py").write_text("def main(request, response):\n    return 'hello'\n")
    return tmp_path


def settled(count, limit, patience=3.0):
    """Whether a count falls to a limit in time."""
    end = time.monotonic() + patience
    while count() > limit and time.monotonic() < end:
        time.sleep(0.02)
    return count() <= limit


def test_several_servers_at_once(doc_root):
    with serving(doc_root) as one, serving(doc_root) as two:
        route(one, "/who", lambda request, response: "one")
        route(two, "/who", lambda request, response: "two")
        assert (ask(one, "/who").body, ask(two, "/who").body) == (b"one", b"two")
        assert one.port != two.port


@ours_only
def test_a_hundred_cycles_with_requests_in_flight(doc_root):
    def cycle():
        with serving(doc_root) as server:
            route(server, "/slow", lambda request, response: time.sleep(0.05) or "slow")
            assert ask(server, "/h.py").body == b"hello"
            assert ask(server, "/a.txt").body == b"file a\n"
            with socket.create_connection(("127.0.0.1", server.port), 5) as idle:
                idle.sendall(b"GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n")
                with socket.create_connection(("127.0.0.1", server.port), 5) as running:
                    running.sendall(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
                    time.sleep(0.002)
                    server.stop()

    cycle()
    time.sleep(0.1)
    before = threads(), descriptors()
    for _ in range(100):
        cycle()
    assert settled(threads, before[0]), (threads(), before)
    assert settled(descriptors, before[1]), (descriptors(), before)


@ours_only
def test_a_stopped_server_is_collected(doc_root):
    class Kept:
        def __call__(self, request, response):
            response.content = "kept"

    with serving(doc_root) as server:
        handler = Kept()
        server.router.register("GET", "/kept", handler)
        assert ask(server, "/kept").body == b"kept"
        references = [weakref.ref(server), weakref.ref(server.router), weakref.ref(handler)]
    del server, handler
    for _ in range(3):
        gc.collect()
    assert [reference() for reference in references] == [None, None, None]


@ours_only
def test_a_server_that_is_never_started_lets_its_socket_go(doc_root):
    before = descriptors()
    server = wptserve.server.WebTestHttpd(host="127.0.0.1", port=0, doc_root=str(doc_root))
    assert descriptors() > before
    del server
    gc.collect()
    assert descriptors() == before


def test_this_thread_asks_its_own_server(doc_root):
    with serving(doc_root) as server:
        def asks(request, response):
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/h.py") as inner:
                return inner.read()

        route(server, "/asks", asks)
        assert ask(server, "/asks").body == b"hello"


def in_background(function):
    result = []
    thread = threading.Thread(target=lambda: result.append(function()))
    thread.start()
    return thread, result


def test_requests_are_answered_beside_a_busy_thread(doc_root):
    with serving(doc_root) as server:
        thread, result = in_background(lambda: [ask(server, "/h.py").body for _ in range(20)])
        end = time.monotonic() + 20
        while thread.is_alive() and time.monotonic() < end:
            pass
        assert result == [[b"hello"] * 20]


def test_requests_are_answered_while_this_thread_sleeps(doc_root):
    with serving(doc_root) as server:
        thread, result = in_background(lambda: [ask(server, "/h.py").body for _ in range(20)])
        time.sleep(0.3)
        thread.join(10)
        assert result == [[b"hello"] * 20]


def test_a_busy_thread_is_not_starved_by_requests(doc_root):
    with serving(doc_root) as server:
        stop = threading.Event()

        def hammer():
            while not stop.is_set():
                ask(server, "/h.py")

        hammers = [in_background(hammer)[0] for _ in range(4)]
        begun = time.monotonic()
        turns = 0
        while turns < 300_000 and time.monotonic() - begun < 20:
            turns += 1
        stop.set()
        for thread in hammers:
            thread.join(10)
        assert turns == 300_000


def test_a_handler_that_waits_holds_up_nobody(doc_root):
    with serving(doc_root) as server:
        go = threading.Event()
        route(server, "/waits", lambda request, response: str(go.wait(10)))
        waiting = [in_background(lambda: ask(server, "/waits").body) for _ in range(10)]
        assert ask(server, "/h.py").body == b"hello"
        go.set()
        for thread, _ in waiting:
            thread.join(10)
        assert [result for _, result in waiting] == [[b"True"]] * 10


@ours_only
def test_a_handler_stops_its_server(doc_root):
    with serving(doc_root) as server:
        route(server, "/stop", lambda request, response: server.stop())
        try:
            ask(server, "/stop")
        except OSError:
            pass
        assert settled(lambda: server.started, False)


def child(queue, doc_root, port):
    """Asks the parent's server, then serves by itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/a.txt") as reply:
        queue.put(reply.read())
    with serving(doc_root) as server:
        queue.put(ask(server, "/h.py").body)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(doc_root, method):
    context = multiprocessing.get_context(method)
    with serving(doc_root) as server:
        assert ask(server, "/h.py").body == b"hello"
        queue = context.Queue()
        process = context.Process(target=child, args=(queue, str(doc_root), server.port))
        process.start()
        assert [queue.get(timeout=30), queue.get(timeout=30)] == [b"file a\n", b"hello"]
        process.join(10)
        assert process.exitcode == 0
        assert ask(server, "/h.py").body == b"hello"


@ours_only
def test_a_forked_child_does_not_hold_the_port(doc_root):
    context = multiprocessing.get_context("fork")
    running, go = context.Event(), context.Event()

    def run():
        running.set()
        go.wait(10)

    with serving(doc_root) as server:
        process = context.Process(target=run)
        process.start()
        assert running.wait(10)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port), 1).close()
    go.set()
    process.join(10)
    assert process.exitcode == 0


class Wrapped:
    def __init__(self):
        self.handler = handlers.handler(self.handle)

    def __call__(self, request, response):
        self.handler(request, response)

    def handle(self, request, response):
        return "wrapped"


def test_handlers_are_pickled(doc_root):
    (doc_root / "f.txt").write_text("x")
    kinds = [
        handlers.file_handler,
        handlers.as_is_handler,
        handlers.python_script_handler,
        handlers.ErrorHandler(404),
        handlers.StringHandler("a", "b"),
        handlers.StaticHandler(str(doc_root / "f.txt"), None, "text/plain"),
        handlers.FileHandler("/base", "/url/"),
        Wrapped(),
    ]
    copies = pickle.loads(pickle.dumps(kinds))
    assert [type(copy) for copy in copies] == [type(kind) for kind in kinds]
    assert (copies[6].base_path, copies[6].url_base) == ("/base", "/url/")
    with serving(doc_root, routes=[("GET", "/w", copies[7]), ("GET", "*", copies[5])]) as server:
        assert ask(server, "/w").body == b"wrapped"
        assert ask(server, "/x").body == b"x"


@ours_only
def test_the_process_ends_with_servers_running(doc_root):
    script = f"""
import time, threading, urllib.request
from wptserve.server import WebTestHttpd
from wptserve.handlers import handler
server = WebTestHttpd(host="127.0.0.1", port=0, doc_root={str(doc_root)!r})
server.router.register("GET", "/sleep", handler(lambda request, response: time.sleep(60)))
server.start()
print(urllib.request.urlopen(server.get_url("/h.py")).read())
threading.Thread(
    target=lambda: urllib.request.urlopen(server.get_url("/sleep")), daemon=True
).start()
time.sleep(0.2)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=20
    )
    assert (done.returncode, done.stdout) == (0, "b'hello'\n"), done.stderr


@pytest.fixture
def stash_server(monkeypatch):
    monkeypatch.setenv("WPT_STASH_CONFIG", "")
    # The reference stays with the first stash of a process.
    for name in ("_proxy", "lock", "manager"):
        monkeypatch.setattr(Stash, name, None)
    server = StashServer(None, authkey=str(uuid.uuid4()))
    with server:
        yield server


def put_in_child(key):
    address, authkey = load_env_config()
    Stash("/path", address, authkey).put(key, {"from": b"the child"})


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_stash_across_processes(stash_server, method):
    stash = Stash("/path", *load_env_config())
    key = str(uuid.uuid4())
    context = multiprocessing.get_context(method)
    process = context.Process(target=put_in_child, args=(key,))
    process.start()
    process.join(30)
    assert process.exitcode == 0
    assert stash.take(key) == {"from": b"the child"}
    assert stash.take(key) is None


def test_the_shared_stash(stash_server, doc_root):
    stash = Stash("/path", *load_env_config())
    key = str(uuid.uuid4())
    with serving(doc_root) as server:
        def put(request, response):
            with request.server.stash.lock:
                request.server.stash.put(key, b"value", "/path")

        route(server, "/put", put)
        assert ask(server, "/put").status == 200
        assert ask(server, "/put").status == 500
    with pytest.raises(StashError):
        stash.put(key, b"other")
    assert stash.take(key) == b"value"
    with pytest.raises(ValueError):
        stash.put(key, None)
    with pytest.raises(ValueError):
        stash.put("no uuid", 1)
    queue = stash.get_queue()
    queue.put("through the queue")
    assert queue.get(timeout=5) == "through the queue" and queue.empty()
    with stash.lock:
        pass


@ours_only
def test_a_queue_goes_through_the_stash(stash_server):
    stash = Stash("/path", *load_env_config())
    key = str(uuid.uuid4())
    queue = stash.get_queue()
    stash.put(key, queue)
    stash.take(key).put("through the queue")
    assert queue.get(timeout=5) == "through the queue"


@ours_only
def test_a_stash_without_a_stash_server(doc_root, monkeypatch):
    monkeypatch.delenv("WPT_STASH_CONFIG", raising=False)
    key = str(uuid.uuid4())
    with serving(doc_root) as server:
        route(server, "/put", lambda request, response: request.server.stash.put(key, 1, "/x"))
        route(
            server, "/take", lambda request, response: str(request.server.stash.take(key, "/x"))
        )
        assert ask(server, "/put").status == 200
        assert (ask(server, "/take").body, ask(server, "/take").body) == (b"1", b"None")
