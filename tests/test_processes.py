"""`--processes N`: hosts that share sockets, stash and log."""

import collections
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import uuid

import pytest

import running
from client import fetch
from supervised import PID, Load, ask, hosts, kept_alive, of_each_host


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
