"""Clients that err, dawdle, leave or come in masses."""

import contextlib
import os
import random
import re
import resource
import socket
import struct
import time

import pytest

import running
from client import connect, converse, fetch, get, head, read_until, responses, statuses

RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def server(serve, write) -> running.Server:
    """A server with a handler, a static file and one that takes its time."""
    write("echo.py", """
        def main(request, response):
            return [("Content-Type", "text/plain")], request.method + " " + request.request_path
    """)
    write("a.txt", "static")
    write("sleeps.py", """
        import time
        def main(request, response):
            open(request.doc_root + "/started", "w").close()
            time.sleep(0.3)
            return b"x" * 100_000
    """)
    return serve()


def check_well(server: running.Server, descriptors: int) -> None:
    """It still answers, and nothing of the past is left."""
    assert fetch(server, "/echo.py").body == b"GET /echo.py"
    assert fetch(server, "/a.txt").body == b"static"
    running.wait_until(
        lambda: server.descriptors() <= descriptors, what=f"{descriptors} descriptors"
    )
    assert "panic" not in server.log()


@pytest.fixture
def descriptors(server) -> int:
    """How many descriptors it has when it has served and is idle."""
    for path in ("/a.txt", "/echo.py"):
        fetch(server, path)
    return running.steady_descriptors(server)


GARBAGE = [
    b"\r\n\r\n\r\nx\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"\0" * 100 + b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) + b"\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1x\r\n\r\n", b"GET / FTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n: empty\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET / HTTP/1.1\r\nX\x01: y\r\n\r\n", b"GET  / HTTP/1.1\r\n\r\n", b" GET / HTTP/1.1\r\n\r\n",
    b"G\xc3\xa9T / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1 \r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


@pytest.mark.parametrize("data", GARBAGE)
def test_garbage_gets_an_error_and_a_close(server, data):
    found = converse(server, data)
    assert found, "nothing was answered"
    assert re.fullmatch(rb"HTTP/1\.1 (4\d\d|505) .+", found[-1].status)
    assert len(found) == 1
    assert fetch(server, "/a.txt").body == b"static"


def test_random_bytes(server, descriptors):
    chance = random.Random(1)
    for _ in range(300):
        data = bytearray(head("POST", "/echo.py", "Content-Length: 3", "X: y") + b"abc")
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with socket.create_connection(server.address, timeout=10) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while block := connection.recv(65536):
                    received += block
        # Whatever it was, it got an answer.
        assert received.startswith(b"HTTP/1.1 "), bytes(data)
    check_well(server, descriptors)


def test_idle_connections_do_not_stop_others(server, descriptors):
    with contextlib.ExitStack() as stack:
        for number in range(200):
            connection = stack.enter_context(socket.create_connection(server.address, timeout=10))
            # Some say nothing, some say half.
            if number % 2:
                connection.sendall(b"GET / HT")
        for _ in range(20):
            assert fetch(server, "/echo.py").status == 200
        running.wait_until(lambda: server.descriptors() >= descriptors + 200)
    check_well(server, descriptors)


def test_a_head_that_comes_byte_by_byte(server):
    with connect(server) as connection:
        for byte in get("/echo.py?slow", "X-A: b"):
            connection.send(bytes([byte]))
            time.sleep(0.001)
        assert responses(connection, 1)[0].body == b"GET /echo.py?slow"


def test_a_body_that_comes_byte_by_byte(serve, write):
    write("body.py", "def main(request, response):\n    return request.body\n")
    server = serve()
    with connect(server) as connection:
        data = head("POST", "/body.py", "Transfer-Encoding: chunked") + (
            b"3;x=y\r\nabc\r\n00A\r\n0123456789\r\n0\r\nT: u\r\n\r\n"
        )
        for byte in data:
            connection.send(bytes([byte]))
            time.sleep(0.001)
        assert responses(connection, 1)[0].body == b"abc0123456789"


def test_long_lists_of_header_fields(server, descriptors):
    with connect(server) as connection:
        connection.send(get("/echo.py", *(f"X-{n}: {'v' * 50}" for n in range(500))))
        assert statuses(responses(connection, 1)) == [b"200"]
    for fields in ([f"X-{n}: v" for n in range(5000)], ["X: " + "v" * 10_000_000]):
        (response,) = converse(server, get("/echo.py", *fields))
        assert response.status.split()[1] in (b"400", b"431")
    (response,) = converse(server, get("/" + "a" * 10_000_000))
    assert response.status.split()[1] in (b"400", b"414", b"431")
    assert server.peak_memory() < 100 * 1024 * 1024
    check_well(server, descriptors)


def test_connections_that_close_at_once(server, descriptors):
    for number in range(500):
        with socket.create_connection(server.address, timeout=10) as connection:
            if number % 2:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    check_well(server, descriptors)


def test_connections_that_close_after_the_request(server, descriptors):
    for number in range(200):
        with socket.create_connection(server.address, timeout=10) as connection:
            connection.sendall(get("/echo.py" if number % 2 else "/a.txt") * 3)
            if number % 3:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    check_well(server, descriptors)


def test_a_reset_while_the_handler_runs(server, descriptors, doc_root):
    for _ in range(5):
        with socket.create_connection(server.address, timeout=10) as connection:
            connection.sendall(get("/sleeps.py"))
            running.wait_until((doc_root / "started").exists, what="a running handler")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        (doc_root / "started").unlink()
    check_well(server, descriptors)
    assert server.log() == ""


def test_a_half_closed_connection_gets_its_answer(server):
    with connect(server) as connection:
        connection.send(get("/sleeps.py") + get("/echo.py?2"))
        connection.socket.shutdown(socket.SHUT_WR)
        read_until(connection, b"GET /echo.py?2")
        while connection.read(10):
            pass
        assert connection.ended


def test_many_requests_over_one_connection(server, descriptors):
    with connect(server, 30) as connection:
        for number in range(100):
            connection.received = b""
            batch = [f"/echo.py?{number}-{n}" for n in range(50)]
            connection.send(b"".join(map(get, batch)))
            found = responses(connection, 50)
            assert [r.body for r in found] == [f"GET {path}".encode() for path in batch]
    check_well(server, descriptors)


def test_a_thousand_requests_one_by_one(server):
    with connect(server, 30) as connection:
        for number in range(1000):
            connection.received = b""
            connection.send(get(f"/echo.py?{number}"))
            assert responses(connection, 1)[0].body == f"GET /echo.py?{number}".encode()


def test_a_client_that_pipelines_without_reading(server, descriptors):
    before = server.memory()
    with socket.create_connection(server.address, timeout=0.5) as connection:
        request = get("/sleeps.py".replace("sleeps", "echo")) * 1000
        # Sends until the server takes no more, for its answers find no way out.
        with contextlib.suppress(TimeoutError):
            for _ in range(2000):
                connection.sendall(request)
            pytest.fail("the server took everything, and answered into the void")
        assert server.memory() - before < 30 * 1024 * 1024
    check_well(server, descriptors)


@pytest.mark.parametrize("target", [
    "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/folder/../../x",
    "/%00", "/a.txt%00.py", "//etc/passwd", "/....//", "/" + "a" * 5000, "/" + "a/" * 2000,
])
def test_odd_paths_stay_in_the_root(server, target):
    answer = fetch(server, target)
    assert 400 <= answer.status < 500
    assert b"root:" not in answer.body


def test_requests_at_the_same_moment_from_many(server, descriptors):
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(connect(server, 30)) for _ in range(100)]
        for round_ in range(5):
            for number, connection in enumerate(crowd):
                connection.received = b""
                connection.send(get(f"/echo.py?{round_}.{number}"))
            for number, connection in enumerate(crowd):
                wanted = f"GET /echo.py?{round_}.{number}".encode()
                assert responses(connection, 1)[0].body == wanted
    check_well(server, descriptors)


def test_a_lack_of_descriptors_passes(server, descriptors):
    limit = descriptors + 20
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(socket.create_connection(server.address, timeout=10))
        running.wait_until(lambda: "a connection cannot be accepted" in server.log_so_far())
        time.sleep(0.3)
        # A line now and then, not one for each attempt of a busy loop.
        assert len(server.log_so_far().splitlines()) < 20
    check_well(server, descriptors)


def test_a_document_root_that_vanishes(server, descriptors, doc_root):
    doc_root.rename(doc_root.with_name("elsewhere"))
    for path in ("/a.txt", "/echo.py", "/", "/folder"):
        assert fetch(server, path).status == 404, path
    doc_root.with_name("elsewhere").rename(doc_root)
    check_well(server, descriptors)


def test_files_that_cannot_be_served(server, descriptors, doc_root):
    (doc_root / "loop.txt").symlink_to(doc_root / "loop.txt")
    (doc_root / "gone.txt").symlink_to(doc_root / "nowhere.txt")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(doc_root / "socket.txt"))
    for path in ("/loop.txt", "/gone.txt", "/socket.txt"):
        assert 400 <= fetch(server, path).status < 600, path
    check_well(server, descriptors)


@pytest.mark.parametrize("name", ["pipe.txt", "pipe.py", "pipe.asis"])
def test_a_named_pipe_does_not_stop_the_server(server, doc_root, name):
    """Whoever opens one waits for the other side; nobody else may wait with them."""
    os.mkfifo(doc_root / name)
    with connect(server) as connection:
        connection.send(get(f"/{name}"))
        connection.read(0.2)
        for path in ("/a.txt", "/echo.py"):
            assert fetch(server, path, patience=3).status == 200
        assert server.stop()[0] == 0
