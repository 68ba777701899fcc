"""Run the reference, wptserve from PyPI, as a bare server with a stash.

The doc root and the ready file come through the environment, because the
reference reads `sys.argv` when a handler asks for the form of a GET request.
The server stops when its standard input ends.
"""

import json
import logging
import os
import socket
import sys

from wptserve.server import WebTestHttpd
from wptserve.stash import StashServer


def free_port(host: str) -> int:
    """A port nobody listens on; the configuration names it before the bind."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    host = "127.0.0.1"
    with StashServer():
        server = WebTestHttpd(
            host=host, port=free_port(host), doc_root=os.environ["REFERENCE_DOC_ROOT"]
        )
        server.start()
        ready = {
            "pid": os.getpid(),
            "listeners": [{"scheme": "http", "host": host, "port": server.port}],
        }
        ready_file = os.environ["REFERENCE_READY_FILE"]
        with open(ready_file + ".part", "w") as file:
            json.dump(ready, file)
        os.replace(ready_file + ".part", ready_file)
        sys.stdin.read()
        server.stop()


if __name__ == "__main__":
    main()
