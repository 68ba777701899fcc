"""SIGINT and SIGTERM end the process at once, whatever goes on."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time

import pytest

import running
from client import connect, fetch, get, head, read_until

SIGNALS = [signal.SIGINT, signal.SIGTERM]
# The promise is one second; the rest is for a machine that has other work to do.
PATIENCE = 2.0

STARTED = """
    import os, time
    def main(request, response):
        open(os.path.join(request.doc_root, "started"), "w").close()
        {body}
"""

HANDLERS = {
    "sleeps": "time.sleep(60)",
    "spins": "while True: pass",
    # A loop in C: nothing else of Python runs until it is done.
    "holds the GIL": "sum(range(10**9))",
    "swallows everything": """
        while True:
            try:
                time.sleep(60)
            except BaseException:
                pass
    """.strip(),
}


def check_stop(server: running.Server, number: int) -> None:
    code, seconds = server.stop(number)
    assert (code, server.log()) == (0, "")
    assert seconds < PATIENCE


@pytest.mark.parametrize("number", SIGNALS)
def test_idle(serve, number):
    check_stop(serve(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_connection_is_kept_alive(serve, write, number):
    write("a.txt", "abc")
    server = serve()
    with connect(server) as connection:
        connection.send(get("/a.txt"))
        read_until(connection, b"abc")
        check_stop(server, number)
        assert connection.read(5) and connection.ended


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("what", HANDLERS)
def test_a_handler_runs(serve, write, doc_root, number, what):
    write("busy.py", STARTED.format(body=HANDLERS[what]))
    server = serve()
    with connect(server) as connection:
        connection.send(get("/busy.py"))
        running.wait_until((doc_root / "started").exists, what="a running handler")
        # From the marker on into the loop.
        time.sleep(0.1)
        check_stop(server, number)


@pytest.mark.parametrize("number", SIGNALS)
def test_many_handlers_run(serve, write, number):
    write("sleeps.py", "import time\ndef main(request, response):\n    time.sleep(60)\n")
    server = serve()
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connect(server)).send(get("/sleeps.py"))
        running.wait_until(lambda: server.threads() > 200, 20, "200 handlers")
        check_stop(server, number)


@pytest.mark.parametrize("number", SIGNALS)
def test_an_upload_is_under_way(serve, write, doc_root, number):
    write("upload.py", STARTED.format(body="return str(len(request.body))"))
    server = serve()
    with connect(server) as connection:
        connection.send(head("POST", "/upload.py", "Content-Length: 1000000") + b"x" * 1000)
        running.wait_until((doc_root / "started").exists, what="a running handler")
        code, seconds = server.stop(number)
        assert code == 0
        assert seconds < PATIENCE


@pytest.mark.parametrize("number", SIGNALS)
def test_a_chunked_upload_is_under_way(serve, number):
    server = serve()
    with connect(server) as connection:
        connection.send(head("POST", "/", "Transfer-Encoding: chunked") + b"5\r\nabc")
        fetch(server, "/")
        check_stop(server, number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_response_streams(serve, write, number):
    write("streams.py", """
        import time
        def main(request, response):
            while response.writer.write(b"tick"):
                time.sleep(0.01)
    """)
    server = serve()
    with connect(server) as connection:
        connection.send(get("/streams.py"))
        read_until(connection, b"ticktick")
        check_stop(server, number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_client_does_not_read(serve, write, doc_root, number):
    write("floods.py", STARTED.format(body="while response.writer.write(b'x' * 65536): pass"))
    server = serve()
    with socket.create_connection(server.address) as connection:
        connection.sendall(get("/floods.py"))
        running.wait_until((doc_root / "started").exists, what="a running handler")
        time.sleep(0.2)
        check_stop(server, number)


@pytest.mark.parametrize("number", SIGNALS)
def test_without_python(serve, write, tmp_path, number):
    write("a.txt", "abc")
    server = serve(python=None, env={"PATH": str(tmp_path / "nothing")})
    with connect(server) as connection:
        connection.send(get("/a.txt"))
        read_until(connection, b"abc")
        check_stop(server, number)


def test_what_handlers_printed_is_not_lost(serve, write, doc_root):
    write("says.py", """
        import sys
        def main(request, response):
            print("to standard output", end="")
            print("to standard error", end="", file=sys.stderr)
            return "x"
    """)
    write("spins.py", STARTED.format(body=HANDLERS["spins"]))
    server = serve()
    fetch(server, "/says.py")
    with connect(server) as connection:
        connection.send(get("/spins.py"))
        running.wait_until((doc_root / "started").exists, what="a running handler")
        assert server.stop()[0] == 0
    assert server.printed().endswith("/\nto standard output")
    assert server.log() == "to standard error"


def test_a_response_that_is_nearly_done_is_delivered(serve, write, doc_root):
    # Until the marker `go` appears the handler waits; it appears just before the signal.
    write("nearly.py", """
        import os, time
        def main(request, response):
            open(os.path.join(request.doc_root, "started"), "w").close()
            while not os.path.exists(os.path.join(request.doc_root, "go")):
                time.sleep(0.001)
            return "whole"
    """)
    server = serve()
    with connect(server) as connection:
        connection.send(get("/nearly.py"))
        running.wait_until((doc_root / "started").exists, what="a running handler")
        (doc_root / "go").touch()
        check_stop(server, signal.SIGTERM)
        read_until(connection, b"\r\n\r\nwhole")


def test_the_port_can_be_bound_again_at_once(serve, write):
    write("a.txt", "abc")
    first = serve()
    with connect(first) as connection:
        connection.send(get("/a.txt"))
        read_until(connection, b"abc")
        first.stop()
    second = serve(port=first.port)
    assert second.port == first.port
    assert fetch(second, "/a.txt").body == b"abc"


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_right_after_the_announcement(doc_root, number):
    """Nothing can be lost between the announcement and the handling of signals."""
    for _ in range(5):
        process = subprocess.Popen(
            [running.binary(), str(doc_root), "--port", "0", "--python", running.python()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=running.environment(),
        )
        try:
            assert process.stdout.readline().startswith("Serving ")
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()
            process.communicate(timeout=10)


@pytest.mark.xfail(strict=False, reason="until the engine runs, SIGINT is Python's own")
def test_a_signal_while_it_starts(doc_root):
    """Ctrl-C brings no traceback of what happened to be imported."""
    for delay in (0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.05):
        code, said = running.signalled_while_it_starts(doc_root, delay, signal.SIGINT, PATIENCE)
        assert (code in (0, -signal.SIGINT), said) == (True, "")


def test_a_process_that_a_handler_left_does_not_hold_the_port(serve, write):
    write("leaves.py", """
        import subprocess, sys
        def main(request, response):
            left = subprocess.Popen(
                [sys.executable, "-c", "import time; time.sleep(20)"], close_fds=False,
            )
            return str(left.pid)
    """)
    first = serve()
    left = int(fetch(first, "/leaves.py").body)
    try:
        assert first.stop()[0] == 0
        assert serve(port=first.port).port == first.port
    finally:
        os.kill(left, signal.SIGTERM)


def test_two_signals_are_as_one(serve, write, doc_root):
    write("busy.py", STARTED.format(body=HANDLERS["spins"]))
    server = serve()
    with connect(server) as connection:
        connection.send(get("/busy.py"))
        running.wait_until((doc_root / "started").exists, what="a running handler")
        server.process.send_signal(signal.SIGINT)
        check_stop(server, signal.SIGINT)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_nobody_reads_what_it_says(doc_root, write, tmp_path, stream):
    """A parent that gave it a pipe and forgot about it."""
    write("says.py", STARTED.format(
        body=f"import sys; print('x' * 1_000_000, file=sys.{stream}, flush=True)"
    ))
    ready = tmp_path / "ready.json"
    with socket.socket() as connection:
        process = subprocess.Popen(
            [running.binary(), str(doc_root), "--port", "0", "--ready-file", str(ready),
             "--python", running.python()],
            stdin=subprocess.DEVNULL, env=running.environment(),
            **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: subprocess.PIPE},
        )
        try:
            running.wait_until(ready.exists, 20, "the ready file")
            server = running.Server(process, json.loads(ready.read_text()), tmp_path)
            connection.connect(server.address)
            connection.sendall(get("/says.py"))
            running.wait_until((doc_root / "started").exists, what="a running handler")
            time.sleep(0.1)
            code, seconds = server.stop()
            assert code == 0 and seconds < PATIENCE
        finally:
            process.kill()
            process.communicate(timeout=10)


def test_nobody_reads_the_log(doc_root, write, tmp_path):
    write("a.txt", "a")
    ready = tmp_path / "ready.json"
    process = subprocess.Popen(
        [running.binary(), str(doc_root), "--port", "0", "--ready-file", str(ready), "-v",
         "--python", running.python()],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=running.environment(),
    )
    try:
        running.wait_until(ready.exists, 20, "the ready file")
        server = running.Server(process, json.loads(ready.read_text()), tmp_path)
        with connect(server, 3) as connection:
            # More lines than a pipe holds.
            connection.send(get("/a.txt?" + "x" * 1000) * 200)
            while connection.read(0.5):
                pass
        code, seconds = server.stop()
        assert code == 0 and seconds < PATIENCE
    finally:
        process.kill()
        process.communicate(timeout=10)


def test_sighup_changes_nothing_in_one_process_and_says_so(serve, write):
    write("plain.txt", "plain")
    server = serve()
    server.process.send_signal(signal.SIGHUP)
    running.wait_until(lambda: "SIGHUP changes nothing in one process" in server.log_so_far())
    assert fetch(server, "/plain.txt").body == b"plain"
    assert server.stop()[0] == 0
