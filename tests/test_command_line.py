"""Arguments, exit codes, what is printed where, and the ready file."""

import json
import os
import re
import socket
import subprocess
import threading

import pytest

import running
from client import fetch

USAGE, DOC_ROOT, LISTEN = 2, 3, 4


def test_help_is_a_result():
    result = running.run("--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert "Usage: wptserve [OPTIONS] [DOC_ROOT]" in result.stdout
    for option in ("--host", "--port", "--config", "--python", "--ready-file", "--max-body",
                   "--handler-timeout", "--log-format", "--verbose", "--version"):
        assert option in result.stdout
    assert "Exit codes:" in result.stdout


def test_version_names_the_python():
    version = subprocess.run(
        [running.python(), "-c", "import platform; print(platform.python_version())"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()
    result = running.run("--version", WPTSERVE_PYTHON=running.python())
    assert (result.returncode, result.stderr) == (0, "")
    name, python = result.stdout.splitlines()
    assert re.fullmatch(r"wptserve \d+\.\d+\.\d+", name)
    assert python.startswith(f"Python {version} at /")


def test_version_without_a_python_says_so(tmp_path):
    result = running.run("--version", PATH=str(tmp_path))
    assert result.returncode == 0
    assert result.stdout.splitlines()[1].startswith("no Python: python3 cannot be run (")


@pytest.mark.parametrize("arguments", [
    ["--bogus"], ["--port", "99999"], ["--port", "x"], ["--max-body", "x"],
    ["--handler-timeout", "0"], ["--handler-timeout", "soon"], ["--log-format", "xml"], ["a", "b"],
])
def test_wrong_arguments(arguments):
    result = running.run(*arguments)
    assert (result.returncode, result.stdout) == (USAGE, "")
    assert result.stderr.startswith("error: ") and "--help" in result.stderr


def test_a_document_root_that_is_missing(tmp_path):
    path = tmp_path / "missing"
    error = running.failed(running.run(path), DOC_ROOT)
    assert error == (
        f"the document root {path} cannot be served: No such file or directory (os error 2); "
        "name an existing directory, as in `wptserve path/to/tests`"
    )


def test_a_document_root_that_is_a_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    error = running.failed(running.run(path), DOC_ROOT)
    assert error.startswith(f"the document root {path} cannot be served: Not a directory")


def test_a_port_in_use_names_port_and_process(doc_root):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = running.failed(running.run(doc_root, "--port", port), LISTEN)
    assert re.fullmatch(
        rf"port {port} on 127\.0\.0\.1 is in use by .+ \(pid {os.getpid()}\); "
        r"stop what uses it, or choose another with --port \(0 picks a free one\)",
        error,
    )


def test_a_host_that_does_not_resolve(doc_root):
    error = running.failed(running.run(doc_root, "--port", 0, "--host", "no-such-name.invalid"), LISTEN)
    assert error.startswith("the host `no-such-name.invalid` does not resolve to an address: ")
    assert "--host" in error


def test_the_ready_file_names_what_is_listened_on(serve):
    server = serve()
    url = f"http://127.0.0.1:{server.port}/"
    assert server.ready == {
        "pid": server.process.pid,
        "url": url,
        "listeners": [{"scheme": "http", "host": "127.0.0.1", "port": server.port}],
    }
    assert server.printed() == f"Serving {server.process.args[1]} at {url}\n"


def test_the_ready_file_appears_whole(serve, tmp_path):
    path = tmp_path / "ready.json"
    # An old one with the same name must never be seen mixed with the new one.
    path.write_text(json.dumps({"old": "x" * 10_000}))
    seen = set()
    done = threading.Event()

    def watch():
        while not done.is_set():
            seen.add(path.read_text())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        process = subprocess.Popen(
            [running.binary(), str(tmp_path), "--port", "0", "--python", running.python(),
             "--ready-file", str(path)],
            stdout=subprocess.DEVNULL, env=running.environment(), stdin=subprocess.DEVNULL,
        )
        try:
            running.wait_until(lambda: "old" not in path.read_text(), 20, "the new ready file")
        finally:
            process.terminate()
            process.wait(10)
    finally:
        done.set()
        watcher.join(10)
    for text in seen:
        assert set(json.loads(text)) in ({"old"}, {"pid", "url", "listeners"})
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith("ready.json")] == [
        "ready.json"
    ]


def test_a_ready_file_that_cannot_be_written(doc_root, tmp_path):
    path = tmp_path / "missing" / "ready.json"
    result = running.run(
        doc_root, "--port", 0, "--ready-file", path, "--python", running.python()
    )
    error = running.failed(result, 1)
    assert error.startswith(f"the ready file {path} cannot be written: ")


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here")
def test_an_ipv6_address(serve, write):
    write("url.py", "def main(request, response):\n    return request.url\n")
    server = serve("--host", "::1")
    assert server.ready == {
        "pid": server.process.pid,
        "url": f"http://[::1]:{server.port}/",
        "listeners": [{"scheme": "http", "host": "::1", "port": server.port}],
    }
    answer = fetch(server, "/url.py")
    assert answer.body == f"http://[::1]:{server.port}/url.py".encode()


def test_a_name_is_listened_on_at_each_of_its_addresses(serve, write):
    write("a.txt", "a")
    server = serve("--host", "localhost")
    assert server.ready["url"] == f"http://localhost:{server.port}/"
    addresses = {
        information[4][0]
        for information in socket.getaddrinfo("localhost", server.port, type=socket.SOCK_STREAM)
    }
    if not has_ipv6():
        addresses.discard("::1")
    listeners = server.ready["listeners"]
    assert {listener["host"] for listener in listeners} == addresses
    assert {listener["port"] for listener in listeners} == {server.port}
    for server.host in addresses:
        assert fetch(server, "/a.txt").body == b"a"
