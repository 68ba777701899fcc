"""Responses as they are made: streaming, back-pressure, large files, raw connections."""

import hashlib
import os
import socket
import threading
import time

import pytest

import running
from client import connect, fetch, get, head, read_to_end, read_until, responses, statuses

MIB = 1024 * 1024


def test_generated_content_is_sent_as_it_is_made(serve, write, doc_root):
    write("generates.py", """
        import os, time
        def main(request, response):
            def parts():
                for name in ("first", "second"):
                    yield "[" + name + "]"
                    while not os.path.exists(os.path.join(request.doc_root, name)):
                        time.sleep(0.005)
                yield "[end]"
            return [("Content-Type", "text/plain")], parts()
    """)
    server = serve()
    with connect(server) as connection:
        connection.send(get("/generates.py"))
        for name in ("first", "second"):
            read_until(connection, f"[{name}]".encode())
            (doc_root / name).touch()
        assert read_to_end(connection).endswith(b"\r\n\r\n[first][second][end]")


def test_what_is_written_is_sent_at_once(serve, write, doc_root):
    write("writes.py", """
        import os, time
        def main(request, response):
            def pause(name):
                while not os.path.exists(os.path.join(request.doc_root, name)):
                    time.sleep(0.005)
            response.writer.write_status(200)
            response.writer.write_header("X-First", "1")
            pause("first")
            response.writer.end_headers()
            pause("second")
            response.writer.write("body")
            response.writer.flush()
            pause("third")
            response.writer.write_content("more")
    """)
    server = serve()
    with connect(server) as connection:
        connection.send(get("/writes.py"))
        read_until(connection, b"X-First: 1\r\n")
        (doc_root / "first").touch()
        read_until(connection, b"\r\n\r\n")
        (doc_root / "second").touch()
        read_until(connection, b"body")
        (doc_root / "third").touch()
        assert read_to_end(connection).endswith(b"\r\n\r\nbodymore")


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_handler_learns_that_the_client_left(serve, write, how):
    write("loops.py", """
        import time
        def main(request, response):
            response.write_status_headers()
            while response.writer.write(b"x" * 1000):
                time.sleep(0.005)
            request.server.stash.put(request.GET.first(b"id"), "noticed", "/noticed")
    """)
    write("noticed.py", """
        def main(request, response):
            return str(request.server.stash.take(request.GET.first(b"id"), "/noticed"))
    """)
    server = serve()
    key = "?id=01234567-89ab-cdef-0123-456789abcdef"
    with connect(server) as connection:
        connection.send(get("/loops.py" + key))
        read_until(connection, b"xxx")
        if how == "reset":
            connection.socket.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
            )
    running.wait_until(lambda: fetch(server, "/noticed.py" + key).body == b"noticed")


def test_a_generator_ends_when_the_client_left(serve, write, doc_root):
    write("forever.py", """
        import time
        def main(request, response):
            def parts():
                try:
                    while True:
                        yield b"x" * 1000
                        time.sleep(0.005)
                finally:
                    open(request.doc_root + "/ended", "w").close()
            return [], parts()
    """)
    server = serve()
    with connect(server) as connection:
        connection.send(get("/forever.py"))
        read_until(connection, b"xxx")
    running.wait_until((doc_root / "ended").exists, what="the generator's end")
    assert server.log() == ""


FLOODS = {
    "writes": """
        def main(request, response):
            response.write_status_headers()
            for _ in range(3200):
                response.writer.write(b"x" * 65536)
    """,
    "generates": """
        def main(request, response):
            return [], (b"x" * 65536 for _ in range(3200))
    """,
    "small pieces": """
        def main(request, response):
            return [], (b"x" * 1024 for _ in range(204800))
    """,
    "a file": """
        def main(request, response):
            return [], open(request.doc_root + "/large", "rb")
    """,
}


@pytest.mark.parametrize("how", FLOODS)
def test_a_slow_reader_holds_the_handler_back(serve, write, doc_root, how):
    total = 3200 * 65536
    write("floods.py", FLOODS[how])
    if how == "a file":
        with open(doc_root / "large", "wb") as file:
            file.truncate(total)
    server = serve()
    fetch(server, "/")
    before = server.memory()
    with socket.create_connection(server.address, timeout=20) as connection:
        connection.sendall(get("/floods.py", "Connection: close"))
        # Nothing is read for a while; a handler that is not held back would be done by then.
        time.sleep(0.7)
        assert server.memory() - before < 30 * MIB
        received = 0
        start = b""
        while data := connection.recv(MIB):
            received += len(data)
            if len(start) < 1000:
                start += data
        assert received == start.index(b"\r\n\r\n") + 4 + total
    assert server.peak_memory() - before < 30 * MIB


@pytest.fixture
def large(doc_root) -> str:
    """A static file of 100 MiB; its digest."""
    digest = hashlib.sha256()
    with open(doc_root / "large.bin", "wb") as file:
        for number in range(100):
            block = hashlib.sha256(bytes([number])).digest() * (MIB // 32)
            file.write(block)
            digest.update(block)
    return digest.hexdigest()


def download(server: running.Server, path: str) -> str:
    digest = hashlib.sha256()
    with socket.create_connection(server.address, timeout=20) as connection:
        connection.sendall(get(path, "Connection: close"))
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        digest.update(data.partition(b"\r\n\r\n")[2])
        while data := connection.recv(MIB):
            digest.update(data)
    return digest.hexdigest()


def test_a_large_file_arrives_whole(serve, large):
    server = serve()
    assert download(server, "/large.bin") == large
    assert server.peak_memory() < 100 * MIB


def test_many_download_at_once(serve, large):
    server = serve()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(download(server, "/large.bin")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [large] * 8
    assert server.peak_memory() < 100 * MIB


@pytest.mark.parametrize("path", ["/closes.py", "/large.txt"])
def test_a_response_is_complete_although_the_client_sent_more(serve, write, doc_root, path):
    # More than the sockets hold, so that the end is sent while unread bytes wait.
    body = b"x" * (8 * MIB)
    (doc_root / "large.txt").write_bytes(body)
    write("closes.py", """
        def main(request, response):
            response.close_connection = True
            return open(request.doc_root + "/large.txt", "rb").read()
    """)
    server = serve()
    with socket.create_connection(server.address, timeout=20) as connection:
        connection.sendall(get(path, "Connection: close") + b"extra" * 20_000)
        time.sleep(0.1)
        received = bytearray()
        while data := connection.recv(MIB):
            received += data
    assert bytes(received).endswith(b"\r\n\r\n" + body)


def test_raw_bytes_through_the_file_of_the_writer(serve, write):
    write("raw.py", """
        def main(request, response):
            file = response.writer._wfile
            file.write(b"HTTP/1.1 299 Raw\\r\\nX-Raw:")
            file.write(b"1\\r\\nContent-Length: 2\\r\\n\\r\\nok")
            file.flush()
            response.writer.content_written = True
    """)
    server = serve()
    with connect(server) as connection:
        connection.send(get("/raw.py"))
        read_until(connection, b"ok")
        assert connection.received == (
            b"HTTP/1.1 299 Raw\r\nX-Raw:1\r\nContent-Length: 2\r\n\r\nok"
        )


def test_a_failure_within_a_stream_closes_at_once(serve, write):
    path = write("fails.py", """
        def main(request, response):
            def parts():
                yield "begun"
                raise ValueError("within the content")
            return [("Content-Length", "100")], parts()
    """)
    server = serve()
    with connect(server) as connection:
        connection.send(get("/fails.py"))
        assert read_to_end(connection).endswith(b"\r\n\r\nbegun")
    running.wait_until(lambda: "ValueError: within the content" in server.log())
    assert server.log().startswith(f"error: {path}:5 failed for ")


@pytest.mark.parametrize("how", ["generator", "writer", "shrinking file"])
def test_a_cut_response_does_not_look_whole(serve, write, doc_root, how):
    """Without a length only a reset tells a cut body from one that has ended."""
    write("fails.py", {
        "generator": """
            def main(request, response):
                def parts():
                    yield "begun"
                    raise ValueError("within the content")
                return [], parts()
        """,
        "writer": """
            def main(request, response):
                response.write_status_headers()
                response.writer.write("begun")
                raise ValueError("within the content")
        """,
        "shrinking file": "def main(request, response): pass",
    }[how])
    server = serve()
    path = "/fails.py"
    if how == "shrinking file":
        path = "/large.bin"
        with open(doc_root / "large.bin", "wb") as file:
            file.truncate(64 * MIB)
    with socket.create_connection(server.address, timeout=20) as connection:
        connection.sendall(get(path))
        received = connection.recv(100)
        if how == "shrinking file":
            os.truncate(doc_root / "large.bin", 0)
        with pytest.raises(ConnectionResetError):
            while data := connection.recv(MIB):
                received += data
    assert received.startswith(b"HTTP/1.1 200 OK")
    if how != "shrinking file":
        assert received.endswith(b"\r\n\r\nbegun")


STRAY = {
    "204": "return 204, [], b'stray'",
    "304": "return 304, [], b'stray'",
    "304 with a length": "return 304, [('Content-Length', '5')], b'stray'",
    "304 of a generator": "return 304, [('Content-Length', '5')], (part for part in ['stray'])",
    "101": "return 101, [], b'stray'",
    "204 by attributes": "response.status = 204; response.content = 'stray'",
    "204 by the writer": """
            response.writer.write_status(204)
            response.writer.write_header("Content-Length", "5")
            response.writer.end_headers()
            response.writer.write("stray")""",
    "204 by the file of the writer": """
            response.writer.write_status(204)
            response.writer.write_header("Content-Length", "5")
            response.writer.end_headers()
            response.writer._wfile.write(b"stray")""",
    "204 through a pipe": "return 204, [('Content-Length', '5')], b'stray'",
    "HEAD": "response.send_body_for_head_request = True; return 'stray'",
    "HEAD by the writer": """
            response.writer.write_status(200)
            response.writer.write_header("Content-Length", "5")
            response.writer.end_headers()
            response.writer.write("stray")""",
}


@pytest.mark.parametrize("how", STRAY)
def test_content_that_no_client_expects_ends_with_a_close(serve, write, how):
    """It would be read as the next response."""
    write("stray.py", f"def main(request, response):\n            {STRAY[how]}\n")
    server = serve()
    path = "/stray.py?pipe=header(X-A,b)" if "pipe" in how else "/stray.py"
    with connect(server) as connection:
        connection.send(head("HEAD" if "HEAD" in how else "GET", path) + get("/stray.py"))
        received = read_to_end(connection)
    assert received.endswith(b"\r\n\r\nstray")
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("handler", [
    "return 204, [], b''", "return 304, [], ''", "response.status = 204",
])
def test_a_status_without_content_and_none_keeps_the_connection(serve, write, handler):
    write("empty.py", f"def main(request, response):\n    {handler}\n    response.content = b''\n")
    server = serve()
    with connect(server) as connection:
        connection.send(get("/empty.py") * 2)
        running.wait_until(lambda: connection.read(0.1) or connection.received.count(b"HTTP/1.1") == 2)
        assert not connection.ended


def test_pipelined_requests_behind_a_stream(serve, write):
    write("streams.py", """
        def main(request, response):
            response.writer.write_status(200)
            response.writer.write_header("Content-Length", "6")
            response.writer.end_headers()
            for _ in range(3):
                response.writer.write(b"ab")
    """)
    server = serve()
    with connect(server) as connection:
        connection.send(get("/streams.py") * 50)
        found = responses(connection, 50)
        assert statuses(found) == [b"200"] * 50
        assert {response.body for response in found} == {b"ababab"}
