"""Our server and pywebsocket3's, over one directory of handlers."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from servers import START_TIMEOUT, Server, _running, free_port, ours_binary

HERE = pathlib.Path(__file__).resolve().parent
HANDLERS = HERE / "websocket_handlers"


@contextlib.contextmanager
def start_ours(
    handlers: pathlib.Path, work: pathlib.Path, doc_root: pathlib.Path | None = None, *options: str
) -> Iterator[Server]:
    """Our server; the port is that for ws, and `other_ports` has that for http."""
    config, ready_file = work / "ours.config.json", work / "ours.ready.json"
    http, ws = free_port(), free_port()
    config.write_text(json.dumps({
        "ports": {"http": [http], "ws": [ws]},
        "ws_doc_root": str(handlers), "server_host": "127.0.0.1", "browser_host": "127.0.0.1",
    }))
    doc_root = doc_root or handlers
    command = [
        str(ours_binary()), str(doc_root), "--config", str(config),
        "--python", os.environ.get("WPTSERVE_PYTHON", sys.executable),
        "--ready-file", str(ready_file), *options,
    ]
    with _running("ours", command, {}, ready_file, doc_root, work) as server:
        yield Server("ours", "127.0.0.1", ws, doc_root, server.process, (http,))


@contextlib.contextmanager
def start_reference(
    handlers: pathlib.Path, work: pathlib.Path, doc_root: pathlib.Path | None = None
) -> Iterator[Server]:
    """pywebsocket3's own server, as `wpt serve` starts it."""
    doc_root, port = doc_root or handlers, free_port()
    python = os.environ.get("REFERENCE_PYTHON", sys.executable)
    command = [
        python, str(HERE / "websocket_reference.py"),
        "-H", "127.0.0.1", "-p", str(port), "-d", str(doc_root), "-w", str(handlers),
    ]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with open(work / "pywebsocket3.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=work)
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        yield Server("pywebsocket3", "127.0.0.1", port, doc_root, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
