"""A handler that forks: its child ends as Python's do, its parent answers."""

import os
import signal
import textwrap

import pytest

import running
import supervised
from client import Crowd, fetch
from websocket import Client, text

FORKS = """
    import os, sys
    def main(request, response):
        child = os.fork()
        if not child:
            {end}
            return "from the child"
        return str(os.waitpid(child, 0)[1])
"""
ENDS = {
    "return": ("pass", 0),
    "exit": ("sys.exit(3)", 3),
    "empty exit": ("sys.exit()", 0),
    "exit with a text": ("sys.exit('bye')", 1),
    "exception": ("raise ValueError('of the child')", 1),
    "writes": ("response.writer.write(b'x' * 3_000_000)", 0),
    "finds no import system": ("import builtins; builtins.__import__ = None; 1 / 0", 1),
}


@pytest.fixture(params=[(), ("--processes", "2")], ids=["one process", "two processes"])
def options(request) -> tuple[str, ...]:
    return request.param


def children(server: running.Server) -> set[int]:
    """The processes below the server that are none of its hosts."""
    hosts = {server.process.pid, *supervised.hosts(server)}
    found = set()
    for path in running.SYSTEM_PROC.glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) in hosts and int(path.parent.name) not in hosts and state != "Z":
            found.add(int(path.parent.name))
    return found


def test_a_child_that_leaves_main_ends_and_its_parent_answers(serve, write, options) -> None:
    for name, (end, _) in ENDS.items():
        write(f"{name}.py".replace(" ", "_"), FORKS.format(end=end))
    write("plain.py", "def main(request, response):\n    return 'plain'\n")
    server = serve(*options)
    for name, (_, code) in ENDS.items():
        path = f"/{name}.py".replace(" ", "_")
        with Crowd(server) as crowd:
            for _ in range(8):
                crowd.ask(path)
                crowd.ask("/plain.py")
            answers = crowd.answers(30)
        assert answers == [(b"200", b"%d" % (code << 8)), (b"200", b"plain")] * 8, name
    assert children(server) == set()
    log = server.log()
    assert "ValueError: of the child" in log and "bye" in log
    assert "failed for" not in log
    assert server.stop()[0] == 0


def test_sigterm_ends_the_child_and_the_server(serve, write, options, tmp_path) -> None:
    write("sleeps.py", f"""
        import os, time
        def main(request, response):
            child = os.fork()
            if not child:
                open({str(tmp_path / "born")!r} + str(os.getpid()), "w").close()
                time.sleep(60)
            return str(child)
    """)
    server = serve(*options)
    child = int(fetch(server, "/sleeps.py").body)
    running.wait_until((tmp_path / f"born{child}").exists)
    os.kill(child, signal.SIGTERM)
    running.wait_until(lambda: not supervised.is_running(child))
    child = int(fetch(server, "/sleeps.py").body)
    assert server.stop()[0] == 0
    os.kill(child, signal.SIGKILL)


def test_a_fork_while_a_file_is_loaded(serve, write) -> None:
    write("loads.py", """
        import os
        child = os.fork()
        if not child:
            raise SystemExit(4)
        def main(request, response):
            return str(os.waitpid(child, 0)[1])
    """)
    assert fetch(serve(), "/loads.py").body == b"%d" % (4 << 8)


def test_multiprocessing_with_fork_works_in_a_handler(serve, write, options) -> None:
    write("workers.py", """
        import logging, multiprocessing
        def square(queue, number):
            logging.warning("squared %d", number)
            queue.put(number * number)
        def main(request, response):
            context = multiprocessing.get_context("fork")
            queue = context.Queue()
            workers = [context.Process(target=square, args=(queue, n)) for n in range(4)]
            for worker in workers:
                worker.start()
            squares = sorted(queue.get() for _ in workers)
            for worker in workers:
                worker.join()
            return str((squares, [worker.exitcode for worker in workers]))
    """)
    server = serve(*options)
    for _ in range(3):
        assert fetch(server, "/workers.py").body == b"([0, 1, 4, 9], [0, 0, 0, 0])"
    running.wait_until(lambda: server.log().count("squared 3") == 3)
    assert children(server) == set()


def test_a_child_of_a_server_in_a_python_program(tmp_path) -> None:
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent("""
        import os, sys, urllib.request
        from wptserve.handlers import handler
        from wptserve.server import WebTestHttpd
        @handler
        def forks(request, response):
            child = os.fork()
            if not child:
                sys.exit(3)
            return str(os.waitpid(child, 0)[1])
        @handler
        def serves(request, response):
            child = os.fork()
            if not child:
                other = WebTestHttpd(port=0, doc_root=".", routes=[("GET", "/", forks)])
                other.start()
                answer = urllib.request.urlopen(f"http://127.0.0.1:{other.port}/").read()
                os._exit(0 if answer == b"768" else 1)
            return str(os.waitpid(child, 0)[1])
        httpd = WebTestHttpd(
            port=0, doc_root=".", routes=[("GET", "/forks", forks), ("GET", "/serves", serves)]
        )
        httpd.start()
        for path in ["forks", "serves", "forks"]:
            print(urllib.request.urlopen(f"http://127.0.0.1:{httpd.port}/{path}").read().decode())
        httpd.stop()
    """))
    result = running.run("exec", "--", running.python(), program, cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path))
    assert result.stdout.split() == ["768", "0", "768"], result


def test_a_child_of_a_websocket_handler_and_the_conversation_goes_on(serve, write) -> None:
    write("forks_wsh.py", """
        import os, sys
        def web_socket_do_extra_handshake(request):
            pass
        def web_socket_transfer_data(request):
            for end in ("return", "exit", "exception"):
                request.ws_stream.receive_message()
                child = os.fork()
                if not child:
                    if end == "exit":
                        sys.exit(3)
                    if end == "exception":
                        raise ValueError("of the child")
                    return
                request.ws_stream.send_message(str(os.waitpid(child, 0)[1]))
    """)
    server = serve("--ws-on-http")
    with Client(server.address) as client:
        assert client.open("/forks").startswith(b"HTTP/1.1 101 ")
        for status in (0, 3 << 8, 1 << 8):
            client.send(text("fork"))
            assert client.frame().payload == b"%d" % status
    assert "ValueError: of the child" in server.log()
