"""A tree's own `serve` twice, and `wptserve wpt`, over the tree.

All have the same ports, each on a loopback address of its own: so an answer that names a port, as
templates do, is the same from each, and no host name need resolve.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import shlex
import sys
from collections.abc import Iterator

from servers import HERE, Server, _running
from wpt_serve import free_ports

ADDRESSES = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
SCHEMES = {
    "http": 2, "http-private": 1, "http-local": 1, "http-public": 1,
    "https": 2, "https-private": 1, "https-local": 1, "https-public": 1,
    "h2": 1, "ws": 1, "wss": 1,
}


@dataclasses.dataclass(frozen=True)
class TreeServer:
    """A server of the whole environment."""

    server: Server
    ports: dict[str, list[int]]

    def of(self, scheme: str) -> Server:
        """The server as it is asked on the first port of a scheme."""
        encryption = "tls" if scheme in ("https", "h2", "wss") else None
        return dataclasses.replace(
            self.server, port=self.ports[scheme][0], encryption=encryption
        )


@contextlib.contextmanager
def three_environments(
    root: pathlib.Path, python: str, binary: pathlib.Path | None, work: pathlib.Path
) -> Iterator[list[TreeServer]]:
    """The tree's `serve` twice, then ours; without a binary the tree's a third time.

    Their logs are in `work`.
    """
    ports = free_ports(_schemes(root))
    with contextlib.ExitStack() as stack:
        first, second, third = ADDRESSES
        starting = [
            start_tree(root, work, "first", first, ports, python),
            start_tree(root, work, "second", second, ports, python),
            start_ours(root, work, third, ports, binary)
            if binary
            else start_tree(root, work, "third", third, ports, python),
        ]
        yield [TreeServer(stack.enter_context(server), ports) for server in starting]


@contextlib.contextmanager
def start_tree(
    root: pathlib.Path,
    work: pathlib.Path,
    name: str,
    address: str,
    ports: dict[str, list[int]],
    python: str = sys.executable,
) -> Iterator[Server]:
    """The tree's own `serve`."""
    ready_file = work / f"{name}.ready.json"
    command = [
        python, "-B", str(HERE / "wpt_serve.py"), "--wpt-root", str(root),
        "--ready-file", str(ready_file), "--host", address, "--ports", json.dumps(ports),
    ]
    # The order of POST keys follows the hash seed there.
    seed = {"PYTHONHASHSEED": "0"}
    with _running(name, command, seed, ready_file, root, work, stops_by_signal=True) as server:
        yield server


@contextlib.contextmanager
def start_ours(
    root: pathlib.Path,
    work: pathlib.Path,
    address: str,
    ports: dict[str, list[int]],
    binary: pathlib.Path,
) -> Iterator[Server]:
    """`wptserve wpt`, with the certificate of the tree."""
    config, ready_file = work / "ours.config.json", work / "ours.ready.json"
    pair = root / "tools" / "certs" / "web-platform.test"
    config.write_text(json.dumps({
        "ports": ports, "server_host": address, "check_subdomains": False,
        "ssl": {"type": "pregenerated", "pregenerated": {
            "host_key_path": f"{pair}.key", "host_cert_path": f"{pair}.pem"}},
    }))
    command = [
        str(binary.resolve()), "wpt", str(root), "--config", str(config),
        "--python", os.environ.get("WPTSERVE_PYTHON", sys.executable),
        "--ready-file", str(ready_file), *shlex.split(os.environ.get("WPTSERVE_ARGS", "")),
    ]
    with _running("ours", command, {}, ready_file, root, work) as server:
        yield server


def _schemes(root: pathlib.Path) -> dict[str, int]:
    """How many ports each scheme has that the tree's `serve` knows."""
    source = (root / "tools" / "serve" / "serve.py").read_text()
    return {scheme: count for scheme, count in SCHEMES.items() if f'"{scheme}"' in source}
