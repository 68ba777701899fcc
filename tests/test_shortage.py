"""A server that is short of descriptors, threads or rights says so, and works again afterwards."""

import contextlib
import http.client
import os
import pathlib
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator

import pytest

import running
from client import Crowd, fetch

FILES = {
    "plain.txt": "plain\n",
    "handler.py": "def main(request, response):\n    return 'handled'\n",
    "page.html": "<p>page\n",
    "page.html.headers": "X-Named: yes\n",
    "raw.asis": "HTTP/1.1 200 OK\r\nX-Raw: yes\r\nContent-Length: 4\r\n\r\nraw\n",
    "scripts.py/default.py": "def main(request, response):\n    return 'default'\n",
    "opens.py": "open(__file__).close()\ndef main(request, response):\n    return 'opened'\n",
}
PATHS = [
    "/plain.txt", "/handler.py", "/page.html", "/raw.asis", "/scripts.py", "/opens.py", "/",
]


@contextlib.contextmanager
def no_descriptors(server: running.Server) -> Iterator[None]:
    """The process gets none beside those that it has."""
    pid = server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    taken = {int(name) for name in os.listdir(running.SYSTEM_PROC / str(pid) / "fd")}
    # The lowest numbers are given out first.
    least = next(number for number in range(len(taken) + 1) if number not in taken)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (least, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def ask(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    """One request on a connection that may be kept."""
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read()


@pytest.fixture
def files(write):
    for name, content in FILES.items():
        write(name, content)


LOCKS = """
    def main(request, response):
        with request.server.stash.lock:
            return "locked"
"""
WAITS = """
    import queue
    def main(request, response):
        try:
            return request.server.stash.get_queue().get(timeout=2)
        except queue.Empty:
            return "waited"
"""
KEEPS = """
    import uuid
    def main(request, response):
        stash, key = request.server.stash, str(uuid.uuid4())
        stash.put(key, "kept")
        return stash.take(key)
"""


def crowd(server: running.Server, path: str, count: int) -> list[tuple[bytes, bytes]]:
    """The answers to that many requests at once."""
    with Crowd(server) as requests:
        for _ in range(count):
            requests.ask(path)
        return requests.answers(60)


@pytest.fixture
def few_descriptors(serve, write) -> running.Server:
    """Four hosts with a supervisor, 256 descriptors each."""
    for name, source in {"locks.py": LOCKS, "waits.py": WAITS, "keeps.py": KEEPS}.items():
        write(name, source)
    return serve("--processes", "4", prefix=("prlimit", "--nofile=256:256"))


def test_all_get_the_lock_of_the_stash_with_fewer_descriptors_than_requests(
    few_descriptors,
) -> None:
    answers = crowd(few_descriptors, "/locks.py", 300)
    assert set(answers) == {(b"200", b"locked")}, few_descriptors.log()[-2000:]
    assert fetch(few_descriptors, "/keeps.py").body == b"kept"


def test_a_stash_without_descriptors_raises_in_the_handler_and_works_afterwards(
    few_descriptors,
) -> None:
    answers = crowd(few_descriptors, "/waits.py", 400)
    statuses = {status for status, _ in answers}
    assert statuses == {b"200", b"500"}, statuses
    reasons = [body for status, body in answers if status == b"500"]
    assert all(b"takes no more connections" in body for body in reasons), reasons[0]
    for path, body in [("/locks.py", b"locked"), ("/keeps.py", b"kept"), ("/waits.py", b"waited")]:
        for _ in range(8):
            assert fetch(few_descriptors, path).body == body


# Nobody else is it, so that the system counts nobody else's threads with the server's.
SOMEBODY = 40_000 + os.getpid() % 20_000


@pytest.fixture
def serve_as_somebody() -> Iterator[Callable[..., running.Server]]:
    """Starts servers of a user for whom the system's bounds and rights hold, over a folder."""
    # The suite's own may be in a folder of this user's.
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if os.geteuid() != 0 or shutil.which("setpriv") is None or python is None:
        pytest.skip("it takes root to become somebody else, and a Python for everybody")
    folder = pathlib.Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    started: list[running.Server] = []

    def serve(*options: str, prefix: tuple[str, ...] = ()) -> running.Server:
        work = folder / f"server{len(started)}"
        work.mkdir()
        os.chown(work, SOMEBODY, SOMEBODY)
        become = ("setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups")
        server = running.start(
            folder / "root", work, *options, python=python, prefix=(*prefix, *become)
        )
        started.append(server)
        return server

    serve.root = folder / "root"
    serve.root.mkdir()
    for name, content in FILES.items():
        path = serve.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    yield serve
    for server in started:
        server.end()
    shutil.rmtree(folder)


def test_what_may_not_be_read_is_404_as_in_the_reference_and_the_log_says_why(
    serve_as_somebody,
) -> None:
    names = ["plain.txt", "handler.py", "raw.asis"]
    for name in names:
        (serve_as_somebody.root / name).chmod(0)
    server = serve_as_somebody()
    for name in names:
        before = len(server.log())
        # More often than once a second nothing is told.
        running.wait_until(
            lambda: fetch(server, f"/{name}").status == 404
            and f"/{name} needs cannot be opened: Permission denied" in server.log()[before:]
        )


def test_without_descriptors_what_exists_is_503_and_nothing_of_that_is_kept(serve, files) -> None:
    server = serve()
    connection = http.client.HTTPConnection(*server.address, timeout=15)
    assert ask(connection, "/missing.txt")[0] == 404
    with no_descriptors(server):
        for path in PATHS:
            assert ask(connection, path)[0] == 503, path
        # A look at the folder takes no descriptor: this is still known.
        assert ask(connection, "/missing.txt")[0] == 404
    for path in PATHS:
        assert fetch(server, path).status == 200, path
    lines = [line for line in server.log().splitlines() if "Too many open files" in line]
    assert 1 <= len(lines) <= 3, server.log()
    assert "answered with 503" in lines[0]


def test_while_no_connection_can_be_accepted_one_line_a_second_says_so(serve, files) -> None:
    server = serve()
    connection = http.client.HTTPConnection(*server.address, timeout=15)
    assert ask(connection, "/handler.py") == (200, b"handled")
    waiting = http.client.HTTPConnection(*server.address, timeout=15)
    with no_descriptors(server):
        waiting.request("GET", "/handler.py")
        running.wait_until(lambda: "cannot be accepted" in server.log_so_far())
        # It backs off and serves whom it has.
        for _ in range(20):
            assert ask(connection, "/missing.txt")[0] == 404
    assert waiting.getresponse().read() == b"handled"
    lines = [line for line in server.log().splitlines() if "cannot be accepted" in line]
    assert len(lines) <= 3, lines


@pytest.mark.parametrize("threads", [6, 12, 24])
def test_without_threads_handlers_are_503_and_the_server_ends_when_told(
    serve_as_somebody, threads
) -> None:
    (serve_as_somebody.root / "sleeps.py").write_text(
        "import time\ndef main(request, response):\n    time.sleep(1)\n    return 'slept'\n"
    )
    server = serve_as_somebody(prefix=("prlimit", f"--nproc={threads}:{threads}"))
    with Crowd(server) as requests:
        for _ in range(60):
            requests.ask("/sleeps.py")
        answers = requests.answers(60)
    statuses = {status for status, _ in answers}
    assert b"503" in statuses and statuses <= {b"200", b"503"}, statuses
    running.wait_until(lambda: fetch(server, "/handler.py").body == b"handled")
    assert "no thread can be started for handlers" in server.log()
    assert server.stop()[0] == 0
    assert "panicked" not in server.log(), server.log()
