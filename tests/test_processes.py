"""`--processes N`: hosts that share sockets and stash, and a supervisor that replaces them."""

import collections
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

import pytest

import running
from client import connect, fetch, get, read_to_end, read_until

PID = "import os\ndef main(request, response):\n    return str(os.getpid())\n"
# Ends as that of one process does, in a second; the rest is for a machine with other work to do.
PATIENCE = 3.0


def hosts(server: running.Server) -> set[int]:
    """The processes that the supervisor has started and that still run."""
    pids = set()
    for path in running.SYSTEM_PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, which is in parentheses, may hold anything.
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == server.process.pid and state != "Z":
                pids.add(int(path.parent.name))
    return pids


def is_running(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        stat = (running.SYSTEM_PROC / str(pid) / "stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@contextlib.contextmanager
def kept_alive(server: running.Server):
    """A connection for several requests."""
    connection = http.client.HTTPConnection(*server.address, timeout=15)
    try:
        yield connection
    finally:
        connection.close()


def ask(connection: http.client.HTTPConnection, path: str) -> bytes:
    """One request on a connection, which must be answered with 200."""
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200, (path, response.status, body)
    return body


def of_each_host(stack: contextlib.ExitStack, server: running.Server, count: int = 2):
    """A connection to each host, by its pid."""
    connections: dict[int, http.client.HTTPConnection] = {}
    deadline = time.monotonic() + 10
    # One that has just been started takes its share a moment later.
    while time.monotonic() < deadline:
        connection = stack.enter_context(kept_alive(server))
        connections.setdefault(int(ask(connection, "/pid.py")), connection)
        if len(connections) == count:
            return connections
    raise AssertionError(f"{count} hosts did not answer: {set(connections)}")


class Load:
    """Clients that ask without a pause, each on new connections or on one that is kept."""

    def __init__(self, server: running.Server, path: str, clients: int = 4, keep: bool = False):
        self.server = server
        self.path = path
        self.keep = keep
        self.answers: collections.Counter[bytes] = collections.Counter()
        self.failures: list[str] = []
        self.goes_on = True
        self.threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        running.wait_until(lambda: self.answers, what="an answer")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.goes_on = False
        for thread in self.threads:
            thread.join(20)

    def _ask(self) -> None:
        connection = None
        while self.goes_on:
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(*self.server.address, timeout=15)
                connection.request("GET", self.path)
                response = connection.getresponse()
                body = response.read()
                if response.status != 200:
                    self.failures.append(f"{response.status}: {body!r}")
                self.answers[body] += 1
                if not self.keep or response.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                if connection is not None:
                    connection.close()
                connection = None
        if connection is not None:
            connection.close()


def test_both_hosts_answer(serve, write):
    write("pid.py", PID)
    server = serve("--processes", "2")
    with Load(server, "/pid.py", clients=8, keep=True) as load:
        running.wait_until(lambda: sum(load.answers.values()) > 2000, 20, "many answers")
    assert load.failures == []
    assert {int(pid) for pid in load.answers} == hosts(server)
    assert len(hosts(server)) == 2
    assert server.process.pid not in hosts(server)


def test_connections_spread_evenly(serve, write):
    write("pid.py", PID)
    server = serve("--processes", "2")
    with contextlib.ExitStack() as stack:
        pids = [ask(stack.enter_context(kept_alive(server)), "/pid.py") for _ in range(40)]
        counts = collections.Counter(pids)
        # To the one but for moments in which a host is busy, here or with the machine's other work.
        assert len(counts) == 2 and min(counts.values()) >= 12, counts


def test_one_process_is_no_supervisor(serve, write):
    write("pid.py", PID)
    server = serve("--processes", "1")
    assert int(fetch(server, "/pid.py").body) == server.process.pid
    assert hosts(server) == set()


def test_auto_is_one_for_each_cpu(serve, write):
    write("pid.py", PID)
    server = serve("--processes", "auto")
    count = len(os.sched_getaffinity(0))
    assert len(hosts(server)) == (count if count > 1 else 0)


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "257"])
def test_what_is_no_number_of_processes(doc_root, value):
    result = running.run(doc_root, f"--processes={value}")
    assert result.returncode == 2
    assert "a number from 1 to 256 or `auto` is expected" in result.stderr


def test_without_python(serve, write, tmp_path):
    write("a.txt", "abc")
    write("pid.py", PID)
    server = serve("--processes", "2", python=None, env={"PATH": str(tmp_path / "nothing")})
    assert len(hosts(server)) == 2
    assert fetch(server, "/a.txt").body == b"abc"
    answer = fetch(server, "/pid.py")
    assert answer.status == 501 and b"no Python of version 3.10 or newer" in answer.body
    assert server.stop()[0] == 0


def test_it_is_announced_once(serve, write):
    server = serve("--processes", "3")
    assert server.printed().count("\n") == 1
    assert server.printed() == f"Serving {server.work.parent / 'root'} at http://127.0.0.1:{server.port}/\n"
    assert server.ready["pid"] == server.process.pid
    assert server.log() == ""


def test_a_whole_environment(tmp_path):
    """`wptserve wpt`: https and wss with one key, and ports that all hosts agree on."""
    root = tmp_path / "wpt"
    (root / "websockets" / "handlers").mkdir(parents=True)
    (root / "resources").mkdir()
    (root / "resources" / "testharness.js").write_text("")
    (root / "wpt").write_text("")
    (root / "config.py").write_text(
        "import json, os\n"
        "def main(request, response):\n"
        "    config = request.server.config\n"
        "    with open(config['ssl_config']['key_path']) as key:\n"
        "        text = key.read()\n"
        "    return json.dumps([config['ports'], config['ssl_config'], text])\n"
    )
    (root / "pid.py").write_text(PID)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({
        "check_subdomains": False,
        "ports": {scheme: ["auto"] for scheme in ["http", "https", "ws", "wss", "h2"]},
    }))
    work = tmp_path / "work"
    work.mkdir()
    server = running.start(
        root, work, "--processes", "2", "--config", str(config), command="wpt", port=None
    )
    try:
        with contextlib.ExitStack() as stack:
            seen = {
                ask(connection, "/config.py")
                for connection in of_each_host(stack, server).values()
            }
        assert len(seen) == 1
        ports, ssl_config, _ = json.loads(seen.pop())
        assert ports["http"] == [server.port]
        certificates = set()
        https = next(entry for entry in server.ready["listeners"] if entry["scheme"] == "https")
        import ssl
        context = ssl.create_default_context(cafile=ssl_config["ca_cert_path"])
        with contextlib.ExitStack() as stack:
            for _ in range(8):
                raw = stack.enter_context(socket.create_connection((https["host"], https["port"]), 10))
                encrypted = stack.enter_context(
                    context.wrap_socket(raw, server_hostname="web-platform.test")
                )
                certificates.add(encrypted.getpeercert(True))
        assert len(certificates) == 1
        assert server.stop()[0] == 0
    finally:
        server.end()


STASH = """
    import os, time
    def main(request, response):
        stash, key = request.server.stash, request.GET.first(b"key")
        what = request.GET.first(b"do")
        if what == b"put":
            stash.put(key, {"from": os.getpid()}, "/stash")
            return "put"
        if what == b"count":
            with stash.lock:
                value = stash.take(key, "/stash") or 0
                time.sleep(0.001)
                stash.put(key, value + 1, "/stash")
            return str(value + 1)
        if what == b"refused":
            try:
                stash.put(key, object, "/stash")
                stash.put(key, 2, "/stash")
            except Exception as error:
                return f"{type(error).__name__}: {error}"
        if what == b"unpicklable":
            try:
                stash.put(key, lambda: 1, "/stash")
            except Exception as error:
                return f"{type(error).__name__}: {error}"
        return repr(stash.take(key, "/stash"))
"""


def test_the_stash_is_one(serve, write):
    write("pid.py", PID)
    write("stash.py", STASH)
    server = serve("--processes", "2")
    with contextlib.ExitStack() as stack:
        (first, one), (_, other) = of_each_host(stack, server).items()
        key = uuid.uuid4()
        assert ask(one, f"/stash.py?key={key}&do=put") == b"put"
        assert ask(other, f"/stash.py?key={key}&do=take") == str({"from": first}).encode()
        assert ask(one, f"/stash.py?key={key}&do=take") == b"None"
        # Errors are those of one process.
        answer = ask(other, f"/stash.py?key={key}&do=refused")
        assert answer.startswith(b"StashError: the stash has a value for ")
        assert b"<class 'object'> (the new one is 2)" in answer
        assert ask(one, f"/stash.py?key={key}&do=take") == b"<class 'object'>"
        assert b"pickle" in ask(one, f"/stash.py?key={key}&do=unpicklable")


def test_the_lock_of_the_stash_is_one(serve, write):
    write("pid.py", PID)
    write("stash.py", STASH)
    server = serve("--processes", "2")
    key = uuid.uuid4()

    def count(connection):
        return [int(ask(connection, f"/stash.py?key={key}&do=count")) for _ in range(50)]

    with contextlib.ExitStack() as stack:
        pairs = [of_each_host(stack, server) for _ in range(3)]
        connections = [connection for pair in pairs for connection in pair.values()]
        with concurrent.futures.ThreadPoolExecutor(len(connections)) as pool:
            seen = sorted(number for some in pool.map(count, connections) for number in some)
    assert seen == list(range(1, 301))


def test_websocket_handlers_reach_the_same_stash(serve, write):
    write("stash.py", STASH)
    write("stash_wsh.py", """
        from wptserve.stash import Stash, load_env_config
        def web_socket_do_extra_handshake(request):
            pass
        def web_socket_transfer_data(request):
            key = request.ws_stream.receive_message()
            stash = Stash("/stash", *load_env_config())
            for _ in range(20):
                with stash.lock:
                    stash.put(key, (stash.take(key) or 0) + 1)
            request.ws_stream.send_message("done")
    """)
    server = serve("--processes", "2", "--ws-on-http")
    from websockets.sync.client import connect as connect_websocket
    key = str(uuid.uuid4())

    def count(_: int) -> str:
        with connect_websocket(f"ws://127.0.0.1:{server.port}/stash") as websocket:
            websocket.send(key)
            return websocket.recv(15)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        assert list(pool.map(count, range(6))) == ["done"] * 6
    assert fetch(server, f"/stash.py?key={key}&do=take").body == b"120"


def test_a_queue_of_the_stash_is_one(serve, write):
    write("pid.py", PID)
    write("shared.py", """
        import os, queue
        def main(request, response):
            stash, key = request.server.stash, request.GET.first(b"key")
            what = request.GET.first(b"do")
            if what == b"make":
                stash.put(key, stash.get_queue(), "/queue")
                return "made"
            with stash.lock:
                shared = stash.take(key, "/queue")
                stash.put(key, shared, "/queue")
            if what == b"put":
                shared.put({"from": os.getpid()})
                return repr([shared.qsize(), shared.empty(), shared.full()])
            if what == b"none":
                try:
                    shared.get(timeout=0.01)
                except queue.Empty as error:
                    return type(error).__name__
            item = shared.get(timeout=10)
            shared.task_done()
            shared.join()
            return repr(item)
    """)
    server = serve("--processes", "2")
    with contextlib.ExitStack() as stack:
        (first, one), (_, other) = of_each_host(stack, server).items()
        key = uuid.uuid4()
        assert ask(one, f"/shared.py?key={key}&do=make") == b"made"
        assert ask(other, f"/shared.py?key={key}&do=none") == b"Empty"
        # The one waits until the other has something.
        other.request("GET", f"/shared.py?key={key}&do=get")
        time.sleep(0.1)
        assert ask(one, f"/shared.py?key={key}&do=put").startswith(b"[")
        assert other.getresponse().read() == str({"from": first}).encode()
        assert ask(one, f"/shared.py?key={key}&do=put") == b"[1, False, False]"
        assert ask(other, f"/shared.py?key={key}&do=get") == str({"from": first}).encode()


CRASHES = {
    "exits": ("os._exit(3)", "exit status: 3"),
    "aborts": ("os.abort()", "signal: 6 (SIGABRT)"),
    "reads at 0": ("ctypes.string_at(0)", "signal: 11 (SIGSEGV)"),
    "is killed": ("os.kill(os.getpid(), signal.SIGKILL)", "signal: 9 (SIGKILL)"),
    "is told to end": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", "exit status: 0"),
}


@pytest.mark.parametrize("what", CRASHES)
def test_a_host_that_crashes_is_replaced(serve, write, what):
    body, status = CRASHES[what]
    write("pid.py", PID)
    crash = write("crash.py", f"""
        import ctypes, os, signal, time
        def main(request, response):
            {body}
    """)
    server = serve("--processes", "2")
    before = hosts(server)
    with contextlib.ExitStack() as stack:
        connections = of_each_host(stack, server)
        with connect(server) as connection:
            connection.send(get("/crash.py?what"))
            read_to_end(connection)
        running.wait_until(lambda: len(hosts(server) - before) == 1, what="a new host")
        (dead,) = before - hosts(server)
        # The other one goes on as if nothing had happened.
        (alive,) = before - {dead}
        assert int(ask(connections[alive], "/pid.py")) == alive
        (new,) = hosts(server) - before
        assert set(of_each_host(stack, server)) == {alive, new}
    log = server.log()
    assert re.match(
        rf"error: hosts: [12] \(pid {dead}\) has ended with {re.escape(status)}"
        rf"( \(core dumped\))? and is replaced; it ran:\n  GET /crash\.py\?what in {crash}, for ",
        log,
    ), log
    if what == "reads at 0":
        assert f'  File "{crash}", line 4 in main\n' in log
    assert server.stop()[0] == 0


def test_a_websocket_handler_that_crashes_is_named(serve, write):
    handler = write("crash_wsh.py", """
        import os
        def web_socket_do_extra_handshake(request):
            pass
        def web_socket_transfer_data(request):
            os._exit(5)
    """)
    server = serve("--processes", "2", "--ws-on-http")
    with connect(server) as connection:
        connection.send(get(
            "/crash", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ))
        read_to_end(connection)
    running.wait_until(server.log_so_far, what="a line in the log")
    assert f"has ended with exit status: 5 and is replaced; it ran:\n  GET /crash in {handler}, " in (
        server.log()
    )


def test_a_host_is_replaced_within_a_tenth_of_a_second(serve, write, doc_root):
    """The promise, with room for a machine that has other work to do: the best of some."""
    write("pid.py", PID)
    server = serve("--processes", "2")
    times = []
    for _ in range(5):
        with contextlib.ExitStack() as stack:
            victim = min(of_each_host(stack, server))
        before = hosts(server)
        begun = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        while not hosts(server) - before:
            assert time.monotonic() < begun + 10
        times.append(time.monotonic() - begun)
        running.wait_until(lambda: len(hosts(server)) == 2, what="two hosts")
        with contextlib.ExitStack() as stack:
            of_each_host(stack, server)
    assert min(times) < 0.1, times


def test_a_dead_host_gives_the_lock_back(serve, write, doc_root):
    write("pid.py", PID)
    write("holds.py", """
        import os, time
        def main(request, response):
            with request.server.stash.lock:
                open(os.path.join(request.doc_root, "held"), "w").write(str(os.getpid()))
                time.sleep(60)
    """)
    write("waits.py", """
        def main(request, response):
            with request.server.stash.lock:
                return "got it"
    """)
    server = serve("--processes", "2")
    with connect(server) as holder:
        holder.send(get("/holds.py"))
        running.wait_until(lambda: (doc_root / "held").exists() and (doc_root / "held").read_text())
        victim = int((doc_root / "held").read_text())
        with contextlib.ExitStack() as stack:
            # On the other host, so that this one outlives it.
            (other,) = (c for pid, c in of_each_host(stack, server).items() if pid != victim)
            other.request("GET", "/waits.py")
            time.sleep(0.2)
            os.kill(victim, signal.SIGKILL)
            assert other.getresponse().read() == b"got it"
    assert re.search(rf"\(pid {victim}\) has ended with signal: 9 .*\n  GET /holds.py in ", server.log())


def test_other_connections_do_not_notice_a_crash(serve, write):
    write("pid.py", PID)
    write("slow.py", """
        import os, time
        def main(request, response):
            for _ in range(20):
                response.writer.write(b"tick")
                time.sleep(0.05)
            response.writer.write(b"end %d" % os.getpid())
            response.close_connection = True
    """)
    server = serve("--processes", "2")
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(connect(server)) for _ in range(6)]
        for stream in streams:
            stream.send(get("/slow.py"))
            read_until(stream, b"tick")
        victim, survivor = of_each_host(stack, server)
        os.kill(victim, signal.SIGKILL)
        ends = [read_to_end(stream) for stream in streams]
        whole = [end for end in ends if end.endswith(b"end %d" % survivor)]
        assert len(whole) == 3
        assert all(b"end" not in end for end in ends if end not in whole)


@pytest.mark.parametrize("keep", [False, True])
def test_sighup_replaces_all_and_refuses_nobody(serve, write, keep):
    write("pid.py", PID)
    server = serve("--processes", "2")
    generations = [hosts(server)]
    with Load(server, "/pid.py", clients=6, keep=keep) as load:
        for _ in range(3):
            server.process.send_signal(signal.SIGHUP)
            running.wait_until(
                lambda: len(hosts(server)) == 2 and not hosts(server) & generations[-1],
                20, "other hosts",
            )
            generations.append(hosts(server))
            load.answers.clear()
            running.wait_until(lambda: sum(load.answers.values()) > 50, 20, "answers")
    assert load.failures == []
    assert {int(pid) for pid in load.answers} <= generations[-1]
    assert server.log() == "info: hosts: all are replaced; the old ones finish what they have\n" * 3
    assert server.stop()[0] == 0


def test_sighup_lets_handlers_finish(serve, write, doc_root):
    write("slow.py", """
        import os, time
        def main(request, response):
            open(os.path.join(request.doc_root, "started"), "w").close()
            time.sleep(1.5)
            return str(os.getpid())
    """)
    server = serve("--processes", "2")
    old = hosts(server)
    write("pid.py", PID)
    with connect(server) as connection, connect(server) as silent, connect(server) as idle:
        idle.send(get("/pid.py"))
        read_until(idle, b"\r\n\r\n")
        connection.send(get("/slow.py"))
        running.wait_until((doc_root / "started").exists, what="a running handler")
        server.process.send_signal(signal.SIGHUP)
        running.wait_until(lambda: "are replaced" in server.log_so_far(), what="new hosts")
        # Connections that were there before may still ask, once.
        silent.send(get("/missing"))
        idle.send(get("/pid.py"))
        for answer in (read_to_end(silent), read_to_end(idle).partition(b"HTTP/1.1")[2]):
            assert b"\r\nConnection: close\r\n" in answer
        assert int(read_to_end(connection).rpartition(b"\r\n")[2]) in old
    running.wait_until(lambda: not hosts(server) & old, what="the end of the old hosts")


def test_sighup_brings_what_has_changed(serve, write):
    write("module_that_changes.py", "VALUE = 1\n")
    write("value.py", """
        import module_that_changes
        def main(request, response):
            return str(module_that_changes.VALUE)
    """)
    server = serve("--processes", "2")
    old = hosts(server)
    assert fetch(server, "/value.py").body == b"1"
    write("module_that_changes.py", "VALUE = 22\n")
    server.process.send_signal(signal.SIGHUP)
    running.wait_until(lambda: len(hosts(server)) == 2 and not hosts(server) & old, 20)
    assert fetch(server, "/value.py").body == b"22"


def customised(tmp_path: pathlib.Path, source: str) -> dict[str, str]:
    """An environment in which every Python runs this first."""
    folder = tmp_path / "customised"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(source)
    return {"PYTHONPATH": str(folder)}


def test_sighup_keeps_the_old_hosts_when_new_ones_do_not_serve(serve, write, tmp_path):
    write("pid.py", PID)
    server = serve("--processes", "2", env=customised(tmp_path, ""))
    old = hosts(server)
    customised(tmp_path, "import os, sys\nif '--supervised' in sys.orig_argv: os._exit(7)\n")
    server.process.send_signal(signal.SIGHUP)
    running.wait_until(lambda: "none is replaced" in server.log_so_far(), what="a line in the log")
    assert re.fullmatch(
        r"error: hosts: none is replaced, because a new one does not serve: [12] \(pid \d+\) "
        r"has ended with exit status: 7; it ran no handler\n", server.log(),
    ), server.log()
    assert hosts(server) == old
    assert int(fetch(server, "/pid.py").body) in old
    # And it can be tried again.
    customised(tmp_path, "")
    server.process.send_signal(signal.SIGHUP)
    running.wait_until(lambda: len(hosts(server)) == 2 and not hosts(server) & old, 20)


def test_hosts_that_never_serve_are_an_error(doc_root, tmp_path):
    environment = customised(
        tmp_path, "import os, sys\nif '--supervised' in sys.orig_argv: os.kill(os.getpid(), 9)\n"
    )
    begun = time.monotonic()
    result = running.run(
        doc_root, "--port", "0", "--processes", "2", "--python", running.python(), **environment
    )
    seconds = time.monotonic() - begun
    assert (result.returncode, result.stdout) == (1, "")
    *tries, last = result.stderr.splitlines()
    assert re.fullmatch(
        r"error: hosts end again and again before they serve; the last one: [12] \(pid \d+\) has "
        r"ended with signal: 9 \(SIGKILL\); it ran no handler", last,
    ), last
    assert all("has ended with signal: 9 (SIGKILL) and is replaced" in line for line in tries)
    # No busy loop.
    assert len(tries) <= 14 and seconds > 2


def test_a_host_that_cannot_serve_says_why_once(doc_root, tmp_path):
    environment = customised(
        tmp_path,
        "import sys\nif '--supervised' in sys.orig_argv: sys.modules['wptserve.logger'] = None\n",
    )
    result = running.run(
        doc_root, "--port", "0", "--processes", "2", "--python", running.python(), **environment
    )
    assert running.failed(result, 6).startswith("Python handlers cannot be run: ")


def test_a_port_in_use_is_told_once(doc_root):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = running.run(doc_root, "--port", port, "--processes", "2")
    assert f"port {port} on 127.0.0.1 is in use" in running.failed(result, 4)


def test_a_host_without_a_supervisor(doc_root):
    result = running.run(doc_root, "--supervised", "--python", running.python())
    assert "no supervisor is on the standard input" in running.failed(result, 2)


def test_the_supervisors_death_ends_its_hosts(serve, write, doc_root):
    write("sleeps.py", """
        import os, time
        def main(request, response):
            open(os.path.join(request.doc_root, "started"), "w").close()
            time.sleep(60)
    """)
    server = serve("--processes", "2")
    pids = hosts(server)
    with connect(server) as connection:
        connection.send(get("/sleeps.py"))
        running.wait_until((doc_root / "started").exists, what="a running handler")
        server.process.kill()
        server.process.wait(5)
        running.wait_until(lambda: not any(map(is_running, pids)), PATIENCE, "the hosts' end")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.address)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_under_load(serve, write, number):
    write("pid.py", PID)
    server = serve("--processes", "2")
    pids = hosts(server)
    with Load(server, "/pid.py") as load:
        code, seconds = server.stop(number)
        load.goes_on = False
    assert code == 0 and seconds < PATIENCE
    assert not any(map(is_running, pids))
    assert server.log() == ""


def test_a_second_signal_kills(serve, write, doc_root):
    write("stays.py", """
        import os, time
        def main(request, response):
            open(os.path.join(request.doc_root, str(os.getpid())), "w").close()
            # From here on nothing of this process runs, and so nothing of it ends.
            os.kill(os.getpid(), 19)
    """)
    server = serve("--processes", "2")
    pids = hosts(server)
    with connect(server) as connection:
        connection.send(get("/stays.py"))
        running.wait_until(
            lambda: any((doc_root / str(pid)).exists() for pid in pids), what="a running handler"
        )
        time.sleep(0.1)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        assert server.process.poll() is None
        code, seconds = server.stop()
        assert code == 0 and seconds < 0.8
    assert not any(map(is_running, pids))


def test_a_host_that_does_not_stop_is_killed(serve):
    server = serve("--processes", "2")
    pids = hosts(server)
    os.kill(min(pids), signal.SIGSTOP)
    code, seconds = server.stop()
    assert code == 0 and seconds < PATIENCE
    assert not any(map(is_running, pids))


def test_a_signal_while_it_starts(doc_root):
    for delay in (0.01, 0.05, 0.08, 0.12, 0.2):
        process = subprocess.Popen(
            [running.binary(), str(doc_root), "--port", "0", "--python", running.python(),
             "--processes", "2"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, env=running.environment(),
        )
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        try:
            _, said = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
            process.wait(5)
        assert (process.returncode in (0, -signal.SIGTERM), said) == (True, "")


def test_the_log_is_one(serve, write):
    """Every line is whole and says which host it is of; a traceback stays together."""
    write("pid.py", PID)
    write("fails.py", """
        def main(request, response):
            raise ValueError("x" * 6000)
    """)
    server = serve("--processes", "2", "-v")
    with contextlib.ExitStack() as stack:
        connections = list(of_each_host(stack, server).values())

        def ask_often(connection):
            for _ in range(100):
                connection.request("GET", "/fails.py")
                assert connection.getresponse().read()

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(ask_often, connections))
    lines = server.log().splitlines()
    requests = [line for line in lines if re.fullmatch(r"\[[12]\] GET /fails.py 500 .* ms", line)]
    failures = [n for n, line in enumerate(lines) if re.match(r"\[[12]\] error: .*fails\.py:3 failed", line)]
    assert (len(requests), len(failures)) == (200, 200)
    # What follows the first line of a failure is its own.
    for number in failures:
        follows = [line.strip() for line in lines[number + 1 : number + 8]]
        assert "ValueError: " + "x" * 6000 in follows, lines[number : number + 8]


def test_the_log_as_json_names_the_host(serve, write):
    write("pid.py", PID)
    server = serve("--processes", "2", "--log-format", "json")
    fetch(server, "/pid.py")
    running.wait_until(server.log_so_far, what="a line")
    (line,) = map(json.loads, server.log().splitlines())
    assert line["event"] == "request" and line["host"] in (1, 2)


def test_what_handlers_start_is_no_host(serve, write, doc_root):
    """Neither the sockets nor the supervisor's orders are for what a handler starts."""
    write("starts.py", """
        import os, subprocess, sys
        def main(request, response):
            left = subprocess.Popen([sys.executable, "-c", '''
        import os, sys, time
        here = [os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if n != "3"]
        print(sys.stdin.read() == "", [name for name in here if "socket" in name], flush=True)
        time.sleep(30)
        '''], stdout=subprocess.PIPE, text=True)
            return left.stdout.readline()
    """)
    server = serve("--processes", "2")
    assert fetch(server, "/starts.py").body == b"True []\n"


def test_a_package_that_is_installed_supervises_too(doc_root, write, tmp_path):
    """`python -m wptserve`, here with the extension in the place of an installed one."""
    site = tmp_path / "site"
    package = site / "wptserve"
    here = pathlib.Path(__file__).resolve().parent.parent
    import shutil
    shutil.copytree(here / "python" / "wptserve", package)
    built = pathlib.Path(running.binary()).parent / "lib_wptserve.so"
    (package / "_wptserve.abi3.so").symlink_to(built)
    write("pid.py", PID)
    ready = tmp_path / "ready.json"
    process = subprocess.Popen(
        [running.python(), "-m", "wptserve", str(doc_root), "--port", "0", "--processes", "2",
         "--ready-file", str(ready)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=running.environment(PYTHONPATH=str(site)),
    )
    try:
        running.wait_until(lambda: ready.exists() or process.poll() is not None, 20)
        server = running.Server(process, json.loads(ready.read_text()), tmp_path)
        with contextlib.ExitStack() as stack:
            assert set(of_each_host(stack, server)) == hosts(server)
        assert server.stop()[0] == 0
    finally:
        process.kill()
        process.wait(5)


if sys.platform != "linux":
    pytest.skip("processes are watched through /proc", allow_module_level=True)
