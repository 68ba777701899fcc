"""`wptserve wpt --dns`: the DNS server beside the others, asked in bytes."""

import json
import pathlib
import socket
import struct
import urllib.request
from collections.abc import Callable

import pytest
import running

A, AAAA, TXT = 1, 28, 16


@pytest.fixture
def checkout(doc_root: pathlib.Path, write: Callable[[str, str], pathlib.Path]) -> pathlib.Path:
    """A document root that passes for a checkout, with free ports only."""
    write("resources/testharness.js", "")
    ports = {scheme: [] for scheme in ("https", "https-local", "https-public", "h2", "ws", "wss")}
    ports |= {"http": ["auto"], "webtransport-h3": [], "dns": ["auto"]}
    (doc_root / "config.json").write_text(json.dumps({"ports": ports}))
    return doc_root


@pytest.fixture
def ask(checkout: pathlib.Path, tmp_path: pathlib.Path):
    """Start a server; returns a function that asks it over UDP."""
    started = []

    def start(*options: str):
        server = start_wpt(checkout, tmp_path, *options)
        started.append(server)
        return lambda name, kind=A: over_udp(port_of(server), query(name, kind))

    yield start
    for server in started:
        server.end()


def start_wpt(checkout: pathlib.Path, tmp_path: pathlib.Path, *options: str) -> running.Server:
    """`wptserve wpt` on that checkout."""
    work = tmp_path / "dns"
    work.mkdir()
    return running.start(checkout, work, "--dns", *options, command="wpt", port=None)


def port_of(server: running.Server) -> int:
    """The port of the DNS server."""
    listeners = server.ready["listeners"]
    return next(entry["port"] for entry in listeners if entry["scheme"] == "dns")


def query(name: str, kind: int = A) -> bytes:
    """A query with a recursion desired."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", 0x1234, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1)


def over_udp(port: int, packet: bytes) -> bytes:
    """The datagram that answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(10)
        connection.sendto(packet, ("127.0.0.1", port))
        return connection.recv(4096)


def over_tcp(port: int, packet: bytes) -> bytes:
    """The answer of a connection."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(struct.pack(">H", len(packet)) + packet)
        stream = connection.makefile("rb")
        (length,) = struct.unpack(">H", stream.read(2))
        return stream.read(length)


def told(response: bytes) -> tuple[int, int]:
    """The code and the number of answers."""
    number, flags, _, answers = struct.unpack(">4H", response[:8])
    assert number == 0x1234 and flags & 0x8000
    return flags & 15, answers


def test_hosts_have_the_address_that_was_asked(ask):
    at = ask()
    for name in ("web-platform.test", "www.www1.not-web-platform.test", "xn--lve-6lad.WEB-platform.test"):
        response = at(name)
        assert told(response) == (0, 1)
        assert response.endswith(struct.pack(">IH", 3600, 4) + bytes([127, 0, 0, 1]))
    assert told(at("web-platform.test", AAAA)) == (0, 0)
    assert told(at("web-platform.test", TXT)) == (0, 0)


def test_other_names_do_not_exist(ask):
    at = ask()
    for name in ("nonexistent.web-platform.test", "x.web-platform.test", "example.com"):
        assert told(at(name)) == (3, 0)


def test_wildcards_cross_dots(ask):
    at = ask("--dns-wildcards", "1")
    assert told(at("x.web-platform.test")) == (0, 1)
    assert told(at("x.y.z.web-platform.test")) == (0, 1)
    assert told(at("x.nonexistent.web-platform.test")) == (3, 0)
    assert told(at("nonexistent.web-platform.test")) == (3, 0)


def test_both_protocols_have_one_port(checkout, tmp_path):
    server = start_wpt(checkout, tmp_path)
    try:
        port = port_of(server)
        packet = query("web-platform.test")
        assert over_tcp(port, packet) == over_udp(port, packet)
        assert told(over_udp(port, packet[:15])) == (1, 0)
        assert server.stop()[0] == 0
    finally:
        server.end()


def test_the_pac_file_has_the_hosts_and_the_ports(checkout, tmp_path):
    server = start_wpt(checkout, tmp_path)
    try:
        host, port = server.address
        url = f"http://{host}:{port}/.well-known/wptserve/proxy.pac"
        with urllib.request.urlopen(url, timeout=10) as response:
            kind, text = response.headers["Content-Type"], response.read().decode()
        assert kind == "application/x-ns-proxy-autoconfig"
        assert '"www.www1.web-platform.test": 1' in text and f'"{port}":1' in text
    finally:
        server.end()
