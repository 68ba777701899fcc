"""Starts the reference wptserve with its stash, as `wpt serve` does, until a signal stops it.

Runs under the Python of the environment the reference is installed in:

    python start_reference.py DOC_ROOT --ready-file FILE [--port 0] [--nodelay]

The reference's own command returns at once (its server thread is a daemon), so it cannot be used.
"""
import argparse
import json
import os
import signal

from wptserve.server import Http1WebTestRequestHandler, WebTestHttpd
from wptserve.stash import StashServer


class NoDelayRequestHandler(Http1WebTestRequestHandler):
    """The reference's handler without its 44 ms stall: Nagle waits for a delayed ACK otherwise."""

    disable_nagle_algorithm = True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("doc_root")
    parser.add_argument("--ready-file", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--nodelay", action="store_true", help="set TCP_NODELAY on connections")
    args = parser.parse_args()

    with StashServer():
        # After the stash's process was started, so that it does not inherit the mask.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        request_handler = NoDelayRequestHandler if args.nodelay else Http1WebTestRequestHandler
        server = WebTestHttpd(host="127.0.0.1", port=args.port, doc_root=args.doc_root,
                              handler_cls=request_handler)
        server.start()
        ready = {"pid": os.getpid(), "url": f"http://127.0.0.1:{server.port}/",
                 "listeners": [{"scheme": "http", "host": "127.0.0.1", "port": server.port}]}
        unfinished = args.ready_file + ".unfinished"
        with open(unfinished, "w") as file:
            json.dump(ready, file)
        os.replace(unfinished, args.ready_file)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
