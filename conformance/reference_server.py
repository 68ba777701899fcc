"""Run the reference, wptserve from PyPI, as a bare server with a stash.

The doc root, the port, the config and the ready file come through the
environment, because the reference reads `sys.argv` when a handler asks for
the form of a GET request. The server stops when its standard input ends.
"""

import json
import logging
import os
import pathlib
import sys

from wptserve.config import ConfigBuilder
from wptserve.server import WebTestHttpd
from wptserve.stash import StashServer


def read_config(path: str):
    """The config in the file, built; the subdomains are no keys of the reference's own files."""
    values = json.loads(pathlib.Path(path).read_text())
    subdomains = {key: set(values.pop(key, [])) for key in ("subdomains", "not_subdomains")}
    with ConfigBuilder(logging.getLogger(), **subdomains, **values) as config:
        return config


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    host = "127.0.0.1"
    with StashServer():
        config = os.environ["REFERENCE_CONFIG"]
        server = WebTestHttpd(
            host=host,
            # Named before the bind, because the configuration speaks of it.
            port=int(os.environ["REFERENCE_PORT"]),
            doc_root=os.environ["REFERENCE_DOC_ROOT"],
            config=read_config(config) if config else None,
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
