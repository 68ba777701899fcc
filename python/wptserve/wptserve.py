"""A server of files from the command line, as the reference has it.

The command ``wptserve`` does more; this is for scripts that call ``wptserve.wptserve.main``.
"""

from __future__ import annotations

import argparse
import os
import threading

from .server import WebTestHttpd


def abs_path(path: str) -> str:
    """The absolute path."""
    return os.path.abspath(path)


def parse_args() -> argparse.Namespace:
    """The arguments of the process."""
    parser = argparse.ArgumentParser(description="Serves a directory of tests.")
    parser.add_argument("document_root", type=abs_path, help="the directory")
    parser.add_argument("--port", "-p", type=int, default=8000, help="the port; 0 picks one")
    parser.add_argument("--host", "-H", default="127.0.0.1", help="the name or address")
    return parser.parse_args()


def main() -> None:
    """Serves until Ctrl-C."""
    args = parse_args()
    with WebTestHttpd(host=args.host, port=args.port, doc_root=args.document_root) as server:
        print(f"Serving {args.document_root} at {server.get_url()}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
