"""The servers that are measured: how each is installed, started and stopped.

`SERVERS` maps a name to a class. `prepare()` makes the server startable or raises
`Unavailable` with the reason; `start(doc_root, schemes)` returns a `Running` one on free ports of
127.0.0.1, which is stopped by leaving its `with` block. `schemes` says which of `http`, `https`,
`h2`, `ws` and `wss` it has to listen for; a server listens for those that it has.
"""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import installing
import running
from installing import BENCH, PROJECT
from running import Unavailable

DEFAULT_BINARY = PROJECT / "target" / "release" / "wptserve"

REFERENCE_VERSION = "4.0.3"
PYWEBSOCKET_VERSION = "4.0.2"
GRANIAN_VERSION = "2.8.7"
UWSGI_VERSION = "2.0.30.post1"
# What the WSGI application parses forms with.
MULTIPART = "multipart==2.0.1"


class Ours:
    title = "wptserve (this project)"
    short_title = "ours"
    schemes = ("http", "https", "h2", "ws", "wss")
    own_arguments = []

    def __init__(self, options):
        self.binary = Path(options.bin)
        self.python = options.python
        self.arguments = [*self.own_arguments, *options.server_arguments]

    def prepare(self):
        if not self.binary.is_file():
            raise Unavailable(f"no binary at {self.binary}; run `cargo build --release`")

    def version(self):
        # It also says where its Python is, which is nobody's business in a report.
        said = command_output([str(self.binary), "--python", self.python, "--version"])
        return re.sub(r" at /\S+", "", said)

    def start(self, doc_root, schemes=("http",)):
        directory = running.work_directory()
        settings = {"ports": {scheme: ["auto"] for scheme in schemes}}
        if {"https", "h2", "wss"} & set(schemes):
            key, chain = installing.certificate()
            settings["ssl"] = {"type": "pregenerated", "pregenerated": {
                "host_key_path": str(key), "host_cert_path": str(chain)}}
        configuration = directory / "configuration.json"
        configuration.write_text(json.dumps(settings))
        return running.start_with_ready_file(
            [str(self.binary), str(doc_root), "--config", str(configuration),
             "--python", self.python, *self.arguments], directory)


class OursTwo(Ours):
    title = "wptserve (this project), 2 processes"
    short_title = "ours, 2 processes"
    own_arguments = ["--processes", "2"]

    def prepare(self):
        super().prepare()
        if "--processes" not in command_output([str(self.binary), "--help"]):
            raise Unavailable("this binary has no --processes")


class Reference:
    title = f"wptserve {REFERENCE_VERSION} (PyPI)"
    short_title = "reference"
    schemes = ("http", "https", "h2", "ws")
    start_arguments = []

    def __init__(self, options):
        pass

    def prepare(self):
        self.environment = installing.environment(
            f"reference-{REFERENCE_VERSION}",
            [f"wptserve=={REFERENCE_VERSION}", f"pywebsocket3=={PYWEBSOCKET_VERSION}"])

    def version(self):
        return (f"wptserve {REFERENCE_VERSION}, pywebsocket3 {PYWEBSOCKET_VERSION}, "
                f"{python_version(self.environment)}")

    def start(self, doc_root, schemes=("http",)):
        wanted = [scheme for scheme in schemes if scheme in self.schemes]
        arguments = [str(doc_root), "--schemes", *wanted, *self.start_arguments]
        if {"https", "h2"} & set(wanted):
            key, chain = installing.certificate()
            arguments += ["--key", str(key), "--certificate", str(chain)]
        return running.start_with_ready_file(
            [python_of(self.environment), str(BENCH / "start_reference.py"), *arguments])


class ReferenceNoDelay(Reference):
    title = f"wptserve {REFERENCE_VERSION} with TCP_NODELAY"
    short_title = "reference, no delay"
    start_arguments = ["--nodelay"]


class Granian:
    workers = 1
    title = f"granian {GRANIAN_VERSION} (WSGI, 1 worker)"
    short_title = "granian, 1 worker"
    schemes = ("http",)

    def __init__(self, options):
        pass

    def prepare(self):
        self.environment = installing.environment(
            f"granian-{GRANIAN_VERSION}", [f"granian=={GRANIAN_VERSION}", MULTIPART])

    def version(self):
        return f"granian {GRANIAN_VERSION}, {python_version(self.environment)}"

    def start(self, doc_root, schemes=("http",)):
        ports = running.free_ports(self.schemes)
        return running.start_and_poll(
            [str(self.environment / "bin" / "granian"), "--interface", "wsgi",
             "--workers", str(self.workers), "--host", running.HOST, "--port", str(ports["http"]),
             "--no-access-log", "--working-dir", str(BENCH), "wsgi_application:application"],
            ports, path="/hello.py")


class GranianTwo(Granian):
    workers = 2
    title = f"granian {GRANIAN_VERSION} (WSGI, 2 workers)"
    short_title = "granian, 2 workers"


class Uwsgi:
    threads = 272
    title = f"uWSGI {UWSGI_VERSION} (WSGI, 1 process, {threads} threads)"
    short_title = "uWSGI"
    schemes = ("http",)

    def __init__(self, options):
        pass

    def prepare(self):
        self.environment = installing.environment(
            f"uwsgi-{UWSGI_VERSION}", [f"pyuwsgi=={UWSGI_VERSION}", MULTIPART])

    def version(self):
        return f"uWSGI {UWSGI_VERSION} (pyuwsgi), {python_version(self.environment)}"

    def start(self, doc_root, schemes=("http",)):
        ports = running.free_ports(self.schemes)
        # A thread is held by each connection that is kept open. Its HTTP router would not need that,
        # and is half as fast.
        return running.start_and_poll(
            [str(self.environment / "bin" / "uwsgi"),
             "--http11-socket", f"{running.HOST}:{ports['http']}", "--processes", "1",
             "--threads", str(self.threads), "--need-app", "--disable-logging", "--die-on-term",
             "--listen", str(longest_queue()), "--virtualenv", str(self.environment), "--chdir", str(BENCH),
             "--module", "wsgi_application:application"],
            ports, path="/hello.py", env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})


class Nginx:
    title = "nginx (1 worker, sendfile, open_file_cache)"
    short_title = "nginx"
    schemes = ("http", "https")

    def __init__(self, options):
        pass

    def prepare(self):
        self.binary = installing.program("nginx", "nginx-light")

    def version(self):
        result = subprocess.run([self.binary, "-v"], capture_output=True, text=True)
        return result.stderr.strip().removeprefix("nginx version: ")

    def start(self, doc_root, schemes=("http",)):
        ports = running.free_ports(self.schemes)
        key, chain = installing.certificate()
        directory = running.work_directory()
        configuration = directory / "nginx.conf"
        configuration.write_text(NGINX_CONFIGURATION.format(
            root=doc_root, directory=directory, key=key, chain=chain, **ports))
        return running.start_and_poll(
            [self.binary, "-c", str(configuration), "-e", str(directory / "stderr")],
            ports, directory, path="/static_1k.txt")


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
    ssl_certificate {chain};
    ssl_certificate_key {key};
    server {{
        listen 127.0.0.1:{http} backlog=4096;
        listen 127.0.0.1:{https} ssl backlog=4096;
        root {root};
    }}
}}
"""


class Ceiling:
    title = "hyper without Python, 1 thread: the ceiling"
    short_title = "hyper (ceiling)"
    schemes = ("http",)

    def __init__(self, options):
        pass

    def prepare(self):
        self.binary = installing.cargo_binary(BENCH / "ceiling", "ceiling")

    def version(self):
        lock = (BENCH / "ceiling" / "Cargo.lock").read_text()
        return ", ".join(" ".join(found) for found in re.findall(
            r'name = "(hyper|tokio)"\nversion = "(.+)"', lock))

    def start(self, doc_root, schemes=("http",)):
        ports = running.free_ports(self.schemes)
        return running.start_and_poll([str(self.binary), str(ports["http"])], ports)


SERVERS = {
    "ours": Ours,
    "ours-2": OursTwo,
    "reference": Reference,
    "reference-nodelay": ReferenceNoDelay,
    "granian": Granian,
    "granian-2": GranianTwo,
    "uwsgi": Uwsgi,
    "nginx": Nginx,
    "ceiling": Ceiling,
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


def longest_queue():
    """How many connections may wait to be accepted: uWSGI refuses to ask for more than it can have."""
    return min(1024, int(Path("/proc/sys/net/core/somaxconn").read_text()))


def python_of(environment):
    return str(environment / "bin" / "python")


def python_version(environment):
    return command_output([python_of(environment), "--version"])


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
