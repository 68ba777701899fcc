"""Start and stop the two servers under comparison."""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

HERE = pathlib.Path(__file__).resolve().parent
START_TIMEOUT = 20.0


@dataclasses.dataclass(frozen=True)
class Server:
    """A running server: what it is, where it listens, and its process."""

    name: str
    host: str
    port: int
    doc_root: pathlib.Path
    process: subprocess.Popen

    @property
    def address(self) -> tuple[str, int]:
        """The address to connect to."""
        return self.host, self.port


def ours_binary() -> pathlib.Path:
    """The binary under test."""
    default = HERE.parent / "target" / "release" / "wptserve"
    return pathlib.Path(os.environ.get("WPTSERVE_BIN", default)).resolve()


@contextlib.contextmanager
def start_ours(
    doc_root: pathlib.Path, work: pathlib.Path, binary: pathlib.Path | None = None
) -> Iterator[Server]:
    """Our server on a free port, its log in `work`."""
    ready_file = work / "ours.ready.json"
    command = [
        str((binary or ours_binary()).resolve()), str(doc_root), "--port", "0",
        "--python", os.environ.get("WPTSERVE_PYTHON", sys.executable),
        "--ready-file", str(ready_file),
    ]
    with _running("ours", command, {}, ready_file, doc_root, work) as server:
        yield server


@contextlib.contextmanager
def start_reference(
    doc_root: pathlib.Path, work: pathlib.Path, name: str = "wptserve", python: str | None = None
) -> Iterator[Server]:
    """The reference on a free port, its log in `work`."""
    ready_file = work / f"{name}.ready.json"
    python = python or os.environ.get("REFERENCE_PYTHON", sys.executable)
    environment = {
        "REFERENCE_DOC_ROOT": str(doc_root),
        "REFERENCE_READY_FILE": str(ready_file),
        # The order of POST keys follows the hash seed there.
        "PYTHONHASHSEED": "0",
    }
    command = [python, str(HERE / "reference_server.py")]
    with _running(name, command, environment, ready_file, doc_root, work) as server:
        yield server


@contextlib.contextmanager
def _running(
    name: str,
    command: list[str],
    environment: dict[str, str],
    ready_file: pathlib.Path,
    doc_root: pathlib.Path,
    work: pathlib.Path,
) -> Iterator[Server]:
    log_path = work / f"{name}.log"
    # Byte code beside the handlers would appear in directory listings.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    with open(log_path, "wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, cwd=work
        )
    try:
        listener = _await_ready(process, ready_file, log_path)["listeners"][0]
        yield Server(name, listener["host"], listener["port"], doc_root, process)
    finally:
        process.stdin.close()
        if name == "ours":
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_ready(process: subprocess.Popen, ready_file: pathlib.Path, log: pathlib.Path) -> dict:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        if ready_file.exists():
            return json.loads(ready_file.read_text())
        time.sleep(0.02)
    raise RuntimeError(f"{process.args[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}")
