"""`--processes N`: hosts that crash, are replaced, or are to stop."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import time

import pytest

import running
from client import connect, fetch, get, read_to_end, read_until
from supervised import PATIENCE, PID, Load, ask, hosts, is_running, of_each_host

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
        code, said = running.signalled_while_it_starts(
            doc_root, delay, signal.SIGTERM, PATIENCE, "--processes", "2"
        )
        assert (code in (0, -signal.SIGTERM), said) == (True, "")


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
