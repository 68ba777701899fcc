"""A handler that takes the connection over: raw bytes in both directions."""

import socket
import threading
import time

import running
from client import connect, fetch, get, read_to_end, read_until

MIB = 1024 * 1024


def test_a_taken_over_connection_echoes(serve, write):
    write("echo.py", """
        def main(request, response):
            connection = response.writer.take_over()
            connection.write(b"ready\\n")
            while data := connection.read(1000):
                connection.write(b"[" + data + b"]")
            connection.write(b"end")
            connection.close()
    """)
    server = serve()
    with connect(server) as connection:
        # What follows the head is the handler's, although it looks like a request.
        connection.send(get("/echo.py") + get("/a"))
        read_until(connection, b"ready\n[" + get("/a") + b"]")
        connection.send(b"\0\xff")
        read_until(connection, b"[\0\xff]")
        connection.socket.shutdown(socket.SHUT_WR)
        assert read_to_end(connection).endswith(b"[\0\xff]end")


def test_a_taken_over_connection_reads_in_bounds_and_in_time(serve, write):
    write("reads.py", """
        def main(request, response):
            connection = response.writer.take_over()
            said = [connection.read(2), connection.read(size=2)]
            try:
                connection.read(2, timeout=0.05)
            except TimeoutError as error:
                said.append(str(error))
            connection.write(repr(said).encode() + b"\\n")
            said = [connection.read(10, timeout=10), connection.read(10), connection.read(10, 0.01)]
            connection.write(repr(said).encode())
            connection.close()
            for use in (lambda: connection.read(1), lambda: connection.write(b"late")):
                try:
                    use()
                except ValueError:
                    continue
                open(request.doc_root + "/used", "w").close()
    """)
    server = serve()
    with connect(server) as connection:
        connection.send(get("/reads.py") + b"abc")
        read_until(connection, b"[b'ab', b'c', 'the client sent nothing in time']\n")
        connection.send(b"def")
        connection.socket.shutdown(socket.SHUT_WR)
        assert read_to_end(connection).endswith(b"\n[b'def', b'', b'']")
    running.wait_until(lambda: fetch(server, "/used").status == 404)
    assert server.log() == ""


def test_a_taken_over_connection_after_a_body(serve, write):
    write("takes.py", """
        def main(request, response):
            body = request.body
            connection = response.writer.take_over()
            connection.write(b"[" + body + b"][" + connection.read(100) + b"]")
    """)
    server = serve()
    with connect(server) as connection:
        connection.send(b"POST /takes.py HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo")
        time.sleep(0.05)
        connection.send(b"dyrest")
        assert read_to_end(connection) == b"[body][rest]"


def test_a_taken_over_connection_ends_with_its_handler(serve, write):
    write("returns.py", """
        def main(request, response):
            response.writer.take_over().write(b"raw")
            return "not sent"
    """)
    write("fails.py", """
        def main(request, response):
            response.writer.take_over().write(b"raw")
            raise ValueError("told to the log alone")
    """)
    server = serve()
    for path in ("/returns.py", "/fails.py"):
        with connect(server) as connection:
            connection.send(get(path))
            assert read_to_end(connection) == b"raw", path
    running.wait_until(lambda: "ValueError: told to the log alone" in server.log())


def test_a_taken_over_connection_whose_client_left(serve, write, doc_root):
    write("writes.py", """
        import time
        def main(request, response):
            connection = response.writer.take_over()
            try:
                while True:
                    connection.write(b"x" * 1000)
                    time.sleep(0.005)
            except BrokenPipeError:
                open(request.doc_root + "/noticed", "w").close()
    """)
    server = serve()
    with connect(server) as connection:
        connection.send(get("/writes.py"))
        read_until(connection, b"xxx")
    running.wait_until((doc_root / "noticed").exists, what="the BrokenPipeError")


def test_a_client_that_floods_a_taken_over_connection_is_held_back(serve, write, doc_root):
    write("slow.py", """
        import os, time
        def main(request, response):
            connection = response.writer.take_over()
            while not os.path.exists(request.doc_root + "/go"):
                time.sleep(0.01)
            total = 0
            while data := connection.read(65536):
                total += len(data)
            connection.write(str(total).encode())
    """)
    server = serve()
    before = server.memory()
    with socket.create_connection(server.address, timeout=20) as connection:
        connection.sendall(get("/slow.py"))

        def flood():
            for _ in range(100):
                connection.sendall(b"x" * MIB)
            connection.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=flood)
        thread.start()
        time.sleep(0.5)
        assert thread.is_alive()
        (doc_root / "go").touch()
        assert connection.recv(100) == str(100 * MIB).encode()
        thread.join(10)
    assert server.peak_memory() - before < 30 * MIB
