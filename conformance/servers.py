"""Start and stop the two servers under comparison."""

import contextlib
import dataclasses
import json
import os
import pathlib
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

HERE = pathlib.Path(__file__).resolve().parent
START_TIMEOUT = 20.0


@dataclasses.dataclass(frozen=True)
class Server:
    """A running server: what it is, where it listens, and its process.

    `other_ports` are those its config names beside the one that is asked.
    """

    name: str
    host: str
    port: int
    doc_root: pathlib.Path
    process: subprocess.Popen
    other_ports: tuple[int, ...] = ()
    # How its connections are encrypted: see `wire.exchange`.
    encryption: str | None = None

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
    doc_root: pathlib.Path,
    work: pathlib.Path,
    binary: pathlib.Path | None = None,
    config: dict | None = None,
    environment: bool = False,
    options: tuple[str, ...] = (),
) -> Iterator[Server]:
    """Our server on a free port, its log in `work`; `environment` starts `wptserve wpt`."""
    ready_file = work / "ours.ready.json"
    ports, configured = _configured(config, work / "ours.config.json")
    command = [
        str((binary or ours_binary()).resolve()), *(["wpt"] if environment else []), str(doc_root),
        "--python", os.environ.get("WPTSERVE_PYTHON", sys.executable),
        "--ready-file", str(ready_file), "--h2c", *configured, *options,
        *shlex.split(os.environ.get("WPTSERVE_ARGS", "")),
    ]
    if not environment and not (config or {}).get("tls"):
        command += ["--port", str(ports[0] if ports else 0)]
    with _running("ours", command, {}, ready_file, doc_root, work) as server:
        yield dataclasses.replace(
            server, other_ports=tuple(ports[1:]), encryption=_encryption(config or {})
        )


@contextlib.contextmanager
def start_reference(
    doc_root: pathlib.Path,
    work: pathlib.Path,
    name: str = "wptserve",
    python: str | None = None,
    config: dict | None = None,
    wpt_root: pathlib.Path | None = None,
    http2: bool = False,
) -> Iterator[Server]:
    """The reference on a free port, its log in `work`; with the routes of a tree if one is named.

    Over HTTP/2 it speaks nothing else.
    """
    ready_file = work / f"{name}.ready.json"
    ports, options = _configured(config, work / f"{name}.config.json")
    python = python or os.environ.get("REFERENCE_PYTHON", sys.executable)
    environment = {
        "REFERENCE_DOC_ROOT": str(doc_root),
        "REFERENCE_READY_FILE": str(ready_file),
        "REFERENCE_PORT": str(ports[0] if ports else free_port()),
        "REFERENCE_CONFIG": options[1] if options else "",
        "REFERENCE_WPT_ROOT": str(wpt_root or ""),
        "REFERENCE_HTTP2": "1" if http2 else "",
        # The order of POST keys follows the hash seed there.
        "PYTHONHASHSEED": "0",
    }
    command = [python, str(HERE / "reference_server.py")]
    with _running(name, command, environment, ready_file, doc_root, work) as server:
        yield dataclasses.replace(
            server, other_ports=tuple(ports[1:]), encryption=_encryption(config or {})
        )


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _encryption(config: dict) -> str | None:
    if not config.get("tls"):
        return None
    return "connect" if config["ssl"]["encrypt_after_connect"] else "tls"


def _configured(config: dict | None, path: pathlib.Path) -> tuple[list[int], list[str]]:
    """Two ports for HTTP, and the options that name a config file with them and `config`.

    A config with `tls` has them for HTTPS instead, and none for HTTP.

    A server with a config listens where its config says that it does, or templates would
    speak of a port that is not there. Without one there is nothing to say.
    """
    if config is None:
        return [], []
    ports = [free_port(), free_port()]
    config = dict(config)
    mine = {"http": [], "https": ports} if config.pop("tls", False) else {"http": ports}
    path.write_text(json.dumps({**config, "ports": {**config["ports"], **mine}}))
    return ports, ["--config", str(path)]


@contextlib.contextmanager
def _running(
    name: str,
    command: list[str],
    environment: dict[str, str],
    ready_file: pathlib.Path,
    doc_root: pathlib.Path,
    work: pathlib.Path,
    stops_by_signal: bool = False,
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
        if stops_by_signal or name == "ours":
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
