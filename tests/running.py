"""The binary as a process: started, watched through /proc, stopped."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import servers

START_TIMEOUT = 20.0
SYSTEM_PROC = pathlib.Path("/proc")


class Server:
    """A server that listens, its process, and what it said."""

    def __init__(self, process: subprocess.Popen, ready: dict, work: pathlib.Path):
        self.process = process
        self.ready = ready
        self.port: int = ready["listeners"][0]["port"]
        self.host: str = ready["listeners"][0]["host"]
        self.work = work

    @property
    def address(self) -> tuple[str, int]:
        """The address to connect to."""
        return self.host, self.port

    def printed(self) -> str:
        """What is on its standard output."""
        return (self.work / "stdout").read_text()

    def log_so_far(self) -> str:
        """What is on its standard error right now."""
        return (self.work / "stderr").read_text()

    def log(self) -> str:
        """What is on its standard error, once nothing has come for a moment: a thread writes it."""
        text, begun = "", time.monotonic()
        still = begun
        # A log that goes on and on is never still.
        while time.monotonic() < min(still + 0.15, begun + 1):
            now = self.log_so_far()
            if now != text:
                text, still = now, time.monotonic()
            time.sleep(0.01)
        return text

    def memory(self) -> int:
        """Resident memory in bytes."""
        return self._status("VmRSS") * 1024

    def peak_memory(self) -> int:
        """The most resident memory it ever had, in bytes."""
        return self._status("VmHWM") * 1024

    def threads(self) -> int:
        """How many threads it has."""
        return self._status("Threads")

    def descriptors(self) -> int:
        """How many file descriptors it has open, but for the folders that it keeps an eye on."""
        folder = SYSTEM_PROC / str(self.process.pid) / "fd"
        return sum(not (folder / name).is_dir() for name in os.listdir(folder))

    def _status(self, field: str) -> int:
        status = (SYSTEM_PROC / str(self.process.pid) / "status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(f"{field}:"))
        return int(line.split()[1])

    def stop(self, number: int = signal.SIGTERM, patience: float = 4.0) -> tuple[int, float]:
        """Send a signal. Returns the exit code and the seconds it took."""
        begun = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(patience)
        return code, time.monotonic() - begun

    def end(self) -> None:
        """End the process, if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)


def binary() -> str:
    """The binary under test."""
    return str(servers.ours_binary())


def python() -> str:
    """The Python that handlers run in, unless a test says otherwise."""
    return os.environ.get("WPTSERVE_PYTHON") or sys.executable


def environment(**changes: str | None) -> dict[str, str]:
    """This process's environment without what chooses a Python; `None` removes a variable."""
    kept = {k: v for k, v in os.environ.items() if k not in ("WPTSERVE_PYTHON", "VIRTUAL_ENV")}
    # Byte code beside the handlers would appear in directory listings.
    kept["PYTHONDONTWRITEBYTECODE"] = "1"
    kept.update({name: value for name, value in changes.items() if value is not None})
    return {name: value for name, value in kept.items() if changes.get(name, "") is not None}


def run(*arguments: object, cwd: pathlib.Path | None = None, **changes: str | None):
    """Run the binary to its end; a command that should fail must not serve instead."""
    return subprocess.run(
        [binary(), *map(str, arguments)],
        capture_output=True, text=True, timeout=START_TIMEOUT, cwd=cwd,
        env=environment(**changes), stdin=subprocess.DEVNULL,
    )


def failed(result: subprocess.CompletedProcess, code: int) -> str:
    """The one line of error of a command that ended so, and said nothing else."""
    assert (result.returncode, result.stdout) == (code, ""), result
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), result.stderr
    return lines[0].removeprefix("error: ")


def start(
    doc_root: pathlib.Path | None,
    work: pathlib.Path,
    *options: object,
    command: str | None = None,
    python: str | None = "",
    port: int | None = 0,
    cwd: pathlib.Path | None = None,
    env: dict[str, str | None] | None = None,
    prefix: Sequence[str] = (),
) -> Server:
    """Start the binary and wait until it listens.

    `command`: what to run in place of serving the document root.
    `python`: `""` for the suite's own, `None` to leave the choice to the binary.
    `port`: `None` to leave the choice to the options.
    `prefix`: a command that becomes the binary.
    """
    ready_file = work / "ready.json"
    what = [name for name in (command, doc_root) if name is not None]
    command = [*prefix, binary(), *map(str, what), "--ready-file", str(ready_file)]
    if port is not None:
        command += ["--port", str(port)]
    if python is not None:
        command += ["--python", python or globals()["python"]()]
    command += map(str, options)
    with open(work / "stdout", "wb") as stdout, open(work / "stderr", "wb") as stderr:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
            env=environment(**(env or {})), cwd=cwd or work,
        )
    try:
        wait_until(
            lambda: ready_file.exists() or process.poll() is not None, START_TIMEOUT, "a ready file"
        )
        if not ready_file.exists():
            raise RuntimeError(f"{command} ended:\n{(work / 'stderr').read_text()}")
        server = Server(process, json.loads(ready_file.read_text()), work)
        # The announcement follows the ready file.
        wait_until(lambda: server.printed().endswith("\n"), START_TIMEOUT, "the announcement")
        return server
    except BaseException:
        process.kill()
        process.wait(5)
        raise


def signalled_while_it_starts(
    doc_root: pathlib.Path, delay: float, number: int, patience: float, *arguments: str
) -> tuple[int, str]:
    """The exit code of a server that gets a signal so soon after its start, and what it said."""
    process = subprocess.Popen(
        [binary(), str(doc_root), "--port", "0", "--python", python(), *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, env=environment(),
    )
    time.sleep(delay)
    process.send_signal(number)
    try:
        _, said = process.communicate(timeout=patience)
    finally:
        process.kill()
        process.wait(5)
    return process.returncode, said


def steady_descriptors(server: Server) -> int:
    """How many descriptors a server has once it opens and closes none."""
    count = server.descriptors()

    def is_steady() -> bool:
        nonlocal count
        time.sleep(0.05)
        before, count = count, server.descriptors()
        return before == count

    wait_until(is_steady)
    return count


def wait_until(
    condition: Callable[[], object], patience: float = 10.0, what: str = "the condition"
) -> None:
    """Poll until the condition holds; fail when that takes too long."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {patience} s")
        time.sleep(0.01)
