"""A started server: its process, its ports, and how one waits until it listens."""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HOST = "127.0.0.1"
START_SECONDS = 30


class Unavailable(Exception):
    """The server cannot be had on this machine; the message says why."""


class Running:
    """A started server: its process, its address, and where its stderr goes."""

    def __init__(self, process, directory, ports):
        self.process = process
        self.pid = process.pid
        self.directory = directory
        self.host = HOST
        self.ports = ports
        """{scheme: port}"""

    @property
    def port(self):
        return self.ports["http"]

    @property
    def url(self):
        return f"http://{self.host}:{self.port}/"

    def stderr(self):
        return (self.directory / "stderr").read_bytes().decode("utf-8", "replace")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def stop(self, seconds=10):
        """SIGTERM, then SIGKILL after `seconds`; to the whole group, as a server may have children."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            # The server leads a session of its own, so its group holds nothing else.
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def work_directory():
    """Where a server's stderr and configuration are until it stops."""
    return Path(tempfile.mkdtemp(prefix="bench-"))


def start_with_ready_file(command, directory=None):
    """Starts a server that takes `--ready-file`, and waits until it has written it."""
    directory = directory or work_directory()
    ready_file = directory / "ready.json"
    process = spawn([*command, "--ready-file", str(ready_file)], directory)
    wait_until(ready_file.is_file, process, directory)
    # Of several listeners for a scheme, the first is as good as any.
    ports = {}
    for listener in json.loads(ready_file.read_text())["listeners"]:
        ports.setdefault(listener["scheme"], listener["port"])
    return Running(process, directory, ports)


def start_and_poll(command, ports, directory=None, path="/", **how):
    """Starts a server that cannot say when it listens, and asks until it answers."""
    directory = directory or work_directory()
    process = spawn(command, directory, **how)
    wait_until(lambda: answers(f"http://{HOST}:{ports['http']}{path}"), process, directory)
    return Running(process, directory, ports)


def spawn(command, directory, **how):
    with open(directory / "stderr", "wb") as stderr:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=stderr, start_new_session=True, **how)


def wait_until(condition, process, directory):
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.0005)
            continue
        started = Running(process, directory, {})
        what = (f"did not listen within {START_SECONDS} s" if process.returncode is None
                else f"ended with {process.returncode}")
        said = started.stderr().strip()[-2000:]
        started.stop()
        raise Unavailable(f"{Path(process.args[0]).name} {what}: {said}")


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def free_ports(schemes):
    """{scheme: port}, all of them different."""
    with contextlib.ExitStack() as held:
        return {scheme: held.enter_context(socket.create_server((HOST, 0))).getsockname()[1]
                for scheme in schemes}
