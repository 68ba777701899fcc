"""Run the `serve` of a web-platform-tests tree, on free ports of 127.0.0.1.

    python wpt_serve.py --wpt-root WPT --ready-file READY [--host HOST] [--ports PORTS]
                        [--log-level LEVEL]

`--host` names another loopback address, `--ports` the ports, as JSON: `{"http": [8000], …}`.

The tree is not touched, and no host name need resolve. The ready file is
written once every port answers; it has the form of our own. SIGTERM and
SIGINT stop the server. The interpreter must be one that the tree's `serve`
runs on, which for old trees is 3.11 at most.
"""

import argparse
import json
import os
import pathlib
import signal
import socket
import sys
import tempfile
import threading
import time

HOST = "127.0.0.1"
START_TIMEOUT = 30.0


def free_ports(counts: dict[str, int]) -> dict[str, list[int]]:
    """As many free ports for each scheme as it wants, all of them different."""
    held = []
    ports = {}
    for scheme, count in counts.items():
        ports[scheme] = []
        for _ in range(count):
            probe = socket.socket()
            probe.bind((HOST, 0))
            held.append(probe)
            ports[scheme].append(probe.getsockname()[1])
    for probe in held:
        probe.close()
    return ports


def announce(host: str, ports: dict[str, list[int]], ready_file: pathlib.Path) -> None:
    """Writes the ready file as soon as all ports answer."""
    deadline = time.monotonic() + START_TIMEOUT
    waiting = [port for of_scheme in ports.values() for port in of_scheme]
    while waiting and time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((host, waiting[-1])) == 0:
                waiting.pop()
                continue
        time.sleep(0.05)
    if waiting:
        print(f"no answer from the ports {waiting}", file=sys.stderr)
        return
    listeners = [
        {"scheme": scheme, "host": host, "port": port}
        for scheme, of_scheme in ports.items()
        for port in of_scheme
    ]
    partial = ready_file.with_name(ready_file.name + ".part")
    partial.write_text(json.dumps({"pid": os.getpid(), "listeners": listeners}))
    partial.replace(ready_file)


def main() -> "int | None":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wpt-root", type=pathlib.Path, required=True)
    parser.add_argument("--ready-file", type=pathlib.Path, required=True)
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--ports", type=json.loads, help="of each scheme, as JSON")
    parser.add_argument("--log-level", default="warning")
    arguments = parser.parse_args()
    sys.dont_write_bytecode = True
    sys.path[:0] = [str(arguments.wpt_root.resolve() / "tools")]
    import localpaths  # noqa: F401  (makes the tree's own packages importable)
    from serve import serve

    # Old trees take OpenSSL 3 for a version before 1.0.2.
    if hasattr(serve, "http2_compatible"):
        serve.http2_compatible = lambda: True
    # Two ports where the tests name two, and HTTP/2, which is no default but a flag.
    defaults = {**serve.ConfigBuilder._default["ports"], "h2": ["auto"]}
    unbuilt = {"webtransport-h3", "quic-transport", "dns"}
    ports = arguments.ports or free_ports(
        {s: len(p) for s, p in defaults.items() if s not in unbuilt}
    )
    config = {
        "ports": ports,
        # Not the browser host: to bind it, it would have to resolve.
        "server_host": arguments.host,
        "check_subdomains": False,
        # Old trees and new ones name it differently.
        **(
            {"logging": {"level": arguments.log_level, "suppress_handler_traceback": False}}
            if "logging" in serve.ConfigBuilder._default
            else {"log_level": arguments.log_level}
        ),
    }

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    # Threads do not survive the forks of `serve`: one started here runs in this process alone.
    threading.Thread(
        target=announce, args=(arguments.host, ports, arguments.ready_file), daemon=True
    ).start()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(config, file)
        file.flush()
        sys.argv = ["serve", "--config", file.name]
        return serve.main()


if __name__ == "__main__":
    sys.exit(main())
