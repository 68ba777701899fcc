"""The log on standard error, and what is on standard output."""

import json
import re
import signal
import socket
import subprocess

import pytest

import running
from client import fetch


FAILING = """
    def main(request, response):
        value = {}
        return value["missing"]
"""


def test_the_log_of_a_failing_handler_has_file_line_and_url(serve, write):
    path = write("fails.py", FAILING)
    server = serve()
    assert fetch(server, "/fails.py?a=1").status == 500
    running.wait_until(server.log, what="a log line")
    lines = server.log().splitlines()
    assert lines[0] == (
        f"error: {path}:4 failed for http://127.0.0.1:{server.port}/fails.py?a=1"
    )
    assert lines[-1].strip() == "KeyError: 'missing'"


@pytest.mark.parametrize(
    "call",
    [
        'request.GET.first(b"missing")', 'response.headers.set("a", object())', 'json.loads("{")',
        'ast.literal_eval("1 +")', 'response.writer.encode(1)', 'request.server.stash.take("no UUID")',
        'response.writer._handler.connection.send("text")',
    ],
)
def test_a_failure_in_what_a_handler_calls_names_the_handlers_line(serve, write, call):
    path = write("calls.py", f"""
        import ast, json

        def main(request, response):
            def within():
                {call}
            within()
    """)
    server = serve()
    assert fetch(server, "/calls.py").status == 500
    running.wait_until(server.log, what="a log line")
    assert server.log().startswith(f"error: {path}:6 failed for ")


@pytest.mark.parametrize("text", ['request.GET.first(b"missing")', "json.loads('{')"])
def test_a_failure_in_what_a_helper_calls_names_the_helpers_line(serve, write, text):
    write("main.py", """
        from folder.helper import help

        def main(request, response):
            help(request)
    """)
    path = write("folder/helper.py", f"""
        import json

        def help(request):
            return {text}
    """)
    server = serve()
    assert fetch(server, "/main.py").status == 500
    running.wait_until(server.log, what="a log line")
    assert server.log().startswith(f"error: {path}:5 failed for ")


def test_a_helper_that_does_not_compile_is_named(serve, write):
    write("main.py", "import broken_helper")
    path = write("broken_helper.py", "a = (\n")
    server = serve()
    assert fetch(server, "/main.py").status == 500
    running.wait_until(server.log, what="a log line")
    assert server.log().startswith(f"error: {path}:1 failed for ")


def test_a_failure_after_the_handler_names_no_module_of_ours(serve, write):
    write("returns.py", "def main(request, response):\n    return 1, 2, 3, 4\n")
    server = serve()
    assert fetch(server, "/returns.py").status == 500
    running.wait_until(server.log, what="a log line")
    url = f"http://127.0.0.1:{server.port}/returns.py"
    assert server.log().startswith(f"error: the handler of {url} failed")


def test_requests_are_logged_when_asked_for(serve, write):
    write("a.txt", "abc")
    quiet, verbose = serve(), serve("-v")
    for server in (quiet, verbose):
        fetch(server, "/a.txt?q")
        fetch(server, "/missing", "POST", b"x")
        assert server.stop() == (0, pytest.approx(0, abs=5))
    assert quiet.log() == ""
    first, second = verbose.log().splitlines()
    assert re.fullmatch(r"GET /a\.txt\?q 200 \d+ B \d+\.\d ms", first)
    assert re.fullmatch(r"POST /missing 404 \d+ B \d+\.\d ms", second)


def test_control_characters_of_a_client_do_not_reach_the_terminal(serve):
    server = serve("-v")
    with socket.create_connection(server.address, timeout=10) as connection:
        connection.sendall(b"GET /\xff%1b[31m HTTP/1.0\r\n\r\n")
        while connection.recv(65536):
            pass
    running.wait_until(server.log, what="a log line")
    assert server.log().startswith("GET /\\xff%1b[31m 4")


def test_json_lines_parse(serve, write):
    path = write("fails.py", FAILING)
    write("logs.py", """
        def main(request, response):
            response.logger.warning("a\\nb")
            return "x"
    """)
    server = serve("--log-format", "json")
    fetch(server, "/fails.py")
    fetch(server, "/logs.py")
    with socket.create_connection(server.address, timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nbroken\r\n\r\n")
        while connection.recv(65536):
            pass
    server.stop()
    lines = [json.loads(line) for line in server.log().splitlines()]
    by_event = {line["event"]: line for line in lines}
    assert set(by_event) == {"request", "handler_failed", "bad_request", "message"}
    failure = by_event["handler_failed"]
    assert (failure["file"], failure["line"], failure["level"]) == (str(path), 4, "error")
    assert failure["url"] == f"http://127.0.0.1:{server.port}/fails.py"
    assert by_event["message"]["message"] == "a\nb"
    requests = [(line["method"], line["target"], line["status"])
                for line in lines if line["event"] == "request"]
    assert requests == [("GET", "/fails.py", 500), ("GET", "/logs.py", 200)]


def test_what_handlers_log_by_themselves_is_in_the_log(serve, write):
    write("logs.py", """
        import logging
        def main(request, response):
            logging.getLogger("mine").warning("from the handler")
            return "x"
    """)
    server = serve("--log-format", "json")
    fetch(server, "/logs.py")
    server.stop()
    lines = [json.loads(line) for line in server.log().splitlines()]
    messages = [line for line in lines if line["event"] == "message"]
    assert [(m["level"], m["source"], m["message"]) for m in messages] == [
        ("warning", "mine", "from the handler")
    ]


def test_a_log_that_nobody_reads_any_more_is_no_reason_to_end(doc_root, write, tmp_path):
    write("a.txt", "a")
    ready = tmp_path / "ready.json"
    process = subprocess.Popen(
        [running.binary(), str(doc_root), "--port", "0", "-v", "--ready-file", str(ready),
         "--python", running.python()],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=running.environment(),
    )
    process.stdout.close()
    process.stderr.close()
    try:
        running.wait_until(ready.exists, 20, "the ready file")
        server = running.Server(process, json.loads(ready.read_text()), tmp_path)
        for _ in range(3):
            assert fetch(server, "/a.txt").body == b"a"
        assert server.stop()[0] == 0
    finally:
        process.kill()
        process.wait(10)


def test_only_handlers_add_to_standard_output(serve, write):
    write("says.py", """
        def main(request, response):
            print("said")
            return "x"
    """)
    server = serve("-v")
    announced = server.printed()
    assert announced == f"Serving {server.process.args[1]} at {server.ready['url']}\n"
    fetch(server, "/says.py")
    fetch(server, "/missing")
    server.stop(signal.SIGINT)
    assert server.printed() == announced + "said\n"


def test_all_interfaces_bring_a_warning(serve):
    server = serve("--host", "0.0.0.0")
    assert server.ready["url"] == f"http://localhost:{server.port}/"
    assert "can be reached from other machines" in server.log()


def test_what_a_client_sends_cannot_forge_a_line(serve, write):
    write("a.txt", "a")
    write("logs.py", """
        def main(request, response):
            response.logger.warning("said " + request.GET.first(b"a").decode())
            raise ValueError(request.GET.first(b"a").decode())
    """)
    forged = "%0d%0aGET%20/forged%20200%201%20B%0a%1b[2J%c2%9b2J%e2%80%ae"
    server = serve("-v")
    fetch(server, f"/a.txt?pipe={forged}")
    fetch(server, f"/logs.py?a={forged}")
    fetch(server, f"/{forged}")
    server.stop()
    log = server.log()
    lines = log.split("\n")
    assert not [line for line in lines if line.startswith("GET /forged")], log
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028-\u202e]", log), log
    assert "/forged" in log


@pytest.mark.parametrize("options", [[], ["--processes", "2"]])
def test_a_log_without_a_descriptor_reaches_no_client(doc_root, write, tmp_path, options):
    write("a.txt", "a")
    write("where.py", """
        import os
        def main(request, response):
            return " ".join(os.readlink(f"/proc/self/fd/{number}") for number in range(3))
    """)
    ready = tmp_path / "ready.json"
    command = [running.binary(), str(doc_root), "--port", "0", "-v", "--ready-file", str(ready),
               "--python", running.python(), *options]
    closing = ["sh", "-c", 'exec "$@" 0>&- 1>&- 2>&-', "sh", *command]
    process = subprocess.Popen(closing, env=running.environment())
    try:
        running.wait_until(ready.exists, 20, "the ready file")
        server = running.Server(process, json.loads(ready.read_text()), tmp_path)
        assert fetch(server, "/where.py").body == b"/dev/null /dev/null /dev/null"
        for _ in range(3):
            assert fetch(server, "/a.txt").body == b"a"
        assert server.stop()[0] == 0
    finally:
        process.kill()
        process.wait(10)
