"""The configuration file: what is refused, and what a good one does."""

import json
import socket
import subprocess

import pytest

import running
from client import fetch

CONFIG = 5


@pytest.mark.parametrize("text, reason", [
    ('{"browser_hots": "x"}', "the key `browser_hots` is unknown; is `browser_host` meant?"),
    ('{"logging": {"levle": "info"}}',
     "the key `logging.levle` is unknown; is `logging.level` meant?"),
    ('{"logging": ', "EOF while parsing a value at line 1 column 12"),
    ("[]", "a JSON object is expected"),
    ('{"ports": 80}', "`ports` is 80; a JSON object is expected"),
    ('{"ports": {"http": [70000]}}',
     '`ports.http[0]`: a port from 0 to 65535, "auto" or null is expected'),
    ('{"check_subdomains": "no"}',
     '`check_subdomains`: invalid type: string "no", expected a boolean'),
    ('{"browser_host": 3}', "`browser_host`: invalid type: integer `3`, expected a string"),
    ('{"logging": {"level": "loud"}}',
     "`logging.level` is `loud`; it may be one of debug, info, warning, error, critical, "
     "notset, warn, fatal"),
    ('{"ssl": {"type": "magic"}}',
     "`ssl.type` is `magic`; it may be `none`, `authority`, `openssl` or "
         "`pregenerated`"),
])
def test_a_wrong_configuration(doc_root, tmp_path, text, reason):
    path = tmp_path / "config.json"
    path.write_text(text)
    error = running.failed(running.run(doc_root, "--port", 0, "--config", path), CONFIG)
    assert error == f"the configuration file {path} is wrong: {reason}"


def test_a_scheme_that_is_not_served_is_refused(doc_root, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"ports": {"http": ["auto"], "webtransport-h3": ["auto"]}}))
    error = running.failed(running.run(doc_root, "--config", config), CONFIG)
    assert error == (
        "`ports.webtransport-h3`: this version does not serve webtransport-h3; an empty list, "
        "`[]`, does without it"
    )


def test_a_configuration_that_is_missing(doc_root, tmp_path):
    path = tmp_path / "missing.json"
    error = running.failed(running.run(doc_root, "--config", path), CONFIG)
    assert error == (
        f"the configuration file {path} cannot be read: No such file or directory (os error 2)"
    )


def test_several_ports_of_a_configuration(serve, write, tmp_path):
    write("where.py", """
        def main(request, response):
            return str(request.url_parts.port) + " " + str(request.server.config["ports"]["http"])
    """)
    with socket.create_server(("127.0.0.1", 0)) as free:
        fixed = free.getsockname()[1]
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"ports": {"http": [fixed, "auto", "auto"]}}))
    server = serve("--config", config, port=None)
    ports = [listener["port"] for listener in server.ready["listeners"]]
    assert len(set(ports)) == 3 and ports[0] == fixed and 0 not in ports
    for server.port in ports:
        assert fetch(server, "/where.py").body == f"{server.port} {ports}".encode()


@pytest.mark.parametrize(("ports", "first", "second"), [
    ({"http": [8001], "https": [8001]}, "http", "https"),
    ({"http": [8001, 8001]}, "http", "http"),
    ({"ws": [8002], "http": [8001], "dns": [8002]}, "ws", "dns"),
])
def test_one_port_for_two_things_names_both_keys(doc_root, tmp_path, ports, first, second):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"ports": ports}))
    error = running.failed(running.run(doc_root, "--config", config), CONFIG)
    port = ports[second][-1]
    assert error == (
        f"port {port} is in `ports.{second}` and, before that, in `ports.{first}`; "
        'give one of them another ("auto" picks a free one)'
    )


def test_the_port_option_is_stronger_than_the_configuration(serve, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"ports": {"http": [1]}}))
    assert serve("--config", config).port > 1


def test_the_document_root_of_a_configuration(doc_root, write, tmp_path):
    write("a.txt", "a")
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"doc_root": str(doc_root)}))
    ready = tmp_path / "ready.json"
    process = subprocess.Popen(
        [running.binary(), "--port", "0", "--config", str(config), "--ready-file", str(ready)],
        stdout=subprocess.PIPE, env=running.environment(WPTSERVE_PYTHON=running.python()),
        text=True, stdin=subprocess.DEVNULL, cwd=tmp_path,
    )
    try:
        running.wait_until(ready.exists, 20, "the ready file")
        server = running.Server(process, json.loads(ready.read_text()), tmp_path)
        assert fetch(server, "/a.txt").body == b"a"
        assert process.stdout.readline() == f"Serving {doc_root} at {server.ready['url']}\n"
    finally:
        process.terminate()
        process.communicate(timeout=10)
