"""The hosts of a server with `--processes N`, seen from outside."""

import collections
import contextlib
import http.client
import threading
import time

import running

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
