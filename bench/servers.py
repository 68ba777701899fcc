"""The servers that are measured: how each is installed, started and stopped.

`SERVERS` maps a name to a class. `prepare()` makes the server startable or raises
`Unavailable` with the reason; `start(doc_root)` returns a `Running` one on a free port of
127.0.0.1, which is stopped by leaving its `with` block.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

BENCH = Path(__file__).resolve().parent
PROJECT = BENCH.parent
CACHE = PROJECT / ".cache" / "bench"
DEFAULT_BINARY = PROJECT / "target" / "release" / "wptserve"

REFERENCE_VERSION = "4.0.3"
GRANIAN_VERSION = "2.8.7"
START_SECONDS = 30


class Unavailable(Exception):
    """The server cannot be had on this machine; the message says why."""


class Running:
    """A started server: its process, its address, and where its stderr goes."""

    def __init__(self, process, directory, host, port):
        self.process = process
        self.pid = process.pid
        self.directory = directory
        self.host = host
        self.port = port

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


class Ours:
    title = "wptserve (this project)"

    def __init__(self, options):
        self.binary = Path(options.bin)
        self.python = options.python
        self.arguments = options.server_arguments

    def prepare(self):
        if not self.binary.is_file():
            raise Unavailable(f"no binary at {self.binary}; run `cargo build --release`")

    def version(self):
        # It also says where its Python is, which is nobody's business in a report.
        said = command_output([str(self.binary), "--python", self.python, "--version"])
        return re.sub(r" at /\S+", "", said)

    def start(self, doc_root):
        return start_with_ready_file([str(self.binary), str(doc_root), "--port", "0",
                                      "--python", self.python, *self.arguments])


class Reference:
    title = f"wptserve {REFERENCE_VERSION} (PyPI)"
    start_arguments = []

    def __init__(self, options):
        self.environment = CACHE / f"reference-{REFERENCE_VERSION}"

    def prepare(self):
        install(self.environment, [f"wptserve=={REFERENCE_VERSION}"])

    def version(self):
        python = command_output([str(self.environment / "bin" / "python"), "--version"])
        return f"wptserve {REFERENCE_VERSION}, {python}"

    def start(self, doc_root):
        return start_with_ready_file(
            [str(self.environment / "bin" / "python"), str(BENCH / "start_reference.py"),
             str(doc_root), *self.start_arguments])


class ReferenceNoDelay(Reference):
    title = f"wptserve {REFERENCE_VERSION} with TCP_NODELAY"
    start_arguments = ["--nodelay"]


class Granian:
    title = f"granian {GRANIAN_VERSION} (WSGI, 1 worker)"

    def __init__(self, options):
        self.environment = CACHE / f"granian-{GRANIAN_VERSION}"

    def prepare(self):
        install(self.environment, [f"granian=={GRANIAN_VERSION}"])

    def version(self):
        python = command_output([str(self.environment / "bin" / "python"), "--version"])
        return f"granian {GRANIAN_VERSION}, {python}"

    def start(self, doc_root):
        port = free_port()
        return start_and_poll(
            [str(self.environment / "bin" / "granian"), "--interface", "wsgi", "--workers", "1",
             "--host", "127.0.0.1", "--port", str(port), "--no-access-log",
             "--working-dir", str(BENCH), "hello_wsgi:app"], port)


class Nginx:
    title = "nginx (1 worker, open_file_cache)"

    def __init__(self, options):
        self.binary = shutil.which("nginx") or "/usr/sbin/nginx"

    def prepare(self):
        if not Path(self.binary).is_file():
            raise Unavailable("no nginx: apt-get install nginx-light")

    def version(self):
        result = subprocess.run([self.binary, "-v"], capture_output=True, text=True)
        return result.stderr.strip().removeprefix("nginx version: ")

    def start(self, doc_root):
        port = free_port()
        directory = Path(tempfile.mkdtemp(prefix="bench-"))
        configuration = directory / "nginx.conf"
        configuration.write_text(NGINX_CONFIGURATION.format(
            root=doc_root, port=port, directory=directory))
        process = spawn([self.binary, "-c", str(configuration), "-e", str(directory / "stderr")],
                        directory)
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/static_1k.txt"), process, directory)
        return Running(process, directory, "127.0.0.1", port)


# Without a master process, so that what it uses is counted like everyone else's.
NGINX_CONFIGURATION = """
daemon off;
master_process off;
pid {directory}/pid;
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    default_type text/plain;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=1000 inactive=60s;
    open_file_cache_valid 60s;
    server {{ listen 127.0.0.1:{port} backlog=4096; root {root}; }}
}}
"""

SERVERS = {
    "ours": Ours,
    "reference": Reference,
    "reference-nodelay": ReferenceNoDelay,
    "granian": Granian,
    "nginx": Nginx,
}


def prepared(names, options):
    """The named servers that can be had, as {name: server}, and {name: reason} for the rest."""
    ready, missing = {}, {}
    for name in names:
        server = SERVERS[name](options)
        try:
            server.prepare()
        except Unavailable as reason:
            missing[name] = str(reason)
            print(f"skipped {name}: {reason}", file=sys.stderr)
        else:
            ready[name] = server
    return ready, missing


def install(environment, requirements):
    """A virtual environment with `requirements`, made the first time it is asked for."""
    stamp = environment / "installed.json"
    if stamp.is_file() and json.loads(stamp.read_text()) == requirements:
        return
    print(f"installing {' '.join(requirements)} into {environment}", file=sys.stderr)
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)],
                       check=True, capture_output=True, text=True)
        subprocess.run([str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet",
                        "--disable-pip-version-check", *requirements],
                       check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout or "").strip().splitlines()[-1:]
        raise Unavailable(f"cannot install {' '.join(requirements)}: {' '.join(last)}") from error
    stamp.write_text(json.dumps(requirements))


def start_with_ready_file(command):
    """Starts a server that takes `--ready-file`, and waits until it has written it."""
    directory = Path(tempfile.mkdtemp(prefix="bench-"))
    ready_file = directory / "ready.json"
    process = spawn(command + ["--ready-file", str(ready_file)], directory)
    wait_until(ready_file.is_file, process, directory)
    listener = json.loads(ready_file.read_text())["listeners"][0]
    return Running(process, directory, listener["host"], listener["port"])


def start_and_poll(command, port):
    """Starts a server that cannot say when it listens, and asks until it answers."""
    directory = Path(tempfile.mkdtemp(prefix="bench-"))
    process = spawn(command, directory)
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/"), process, directory)
    return Running(process, directory, "127.0.0.1", port)


def spawn(command, directory):
    with open(directory / "stderr", "wb") as stderr:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=stderr, start_new_session=True)


def wait_until(condition, process, directory):
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.0005)
            continue
        started = Running(process, directory, "", 0)
        what = (f"did not listen within {START_SECONDS} s" if process.returncode is None
                else f"ended with {process.returncode}")
        said = started.stderr().strip()
        started.stop()
        raise Unavailable(f"{process.args[0]} {what}: {said}")


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def command_output(command):
    """What a command prints, on one line; its name and exit code when it fails."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"unknown ({error})"
    if result.returncode:
        return f"unknown ({Path(command[0]).name} ended with {result.returncode})"
    return ", ".join(result.stdout.split("\n")).strip(", ")


def add_server_options(parser):
    """The options that say how our own server is started."""
    parser.add_argument("--bin", default=str(DEFAULT_BINARY), help="our binary (default: %(default)s)")
    parser.add_argument("--python", default=sys.executable,
                        help="the Python our binary shall use (default: %(default)s)")
    parser.add_argument("--server-argument", action="append", dest="server_arguments", default=[],
                        metavar="ARGUMENT", help="a further argument for our binary; repeatable")
