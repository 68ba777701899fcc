"""Starts the reference wptserve with its stash, as `wpt serve` does, until a signal stops it: a
process for each scheme, so that what one still has to do does not slow the others.

Runs under the Python of the environment the reference is installed in:

    python start_reference.py DOC_ROOT --ready-file FILE [--schemes http https h2 ws] [--nodelay]

The reference's own command returns at once (its server thread is a daemon), so it cannot be used.
"""
import argparse
import json
import multiprocessing
import os
import signal
import threading

from wptserve.server import (Http1WebTestRequestHandler, Http2WebTestRequestHandler,
                             WebTestHttpd)
from wptserve.stash import StashServer

HOST = "127.0.0.1"


class NoDelayRequestHandler(Http1WebTestRequestHandler):
    """The reference's handler without its 44 ms stall: Nagle waits for a delayed ACK otherwise."""

    disable_nagle_algorithm = True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("doc_root")
    parser.add_argument("--ready-file", required=True)
    parser.add_argument("--schemes", nargs="+", choices=("http", "https", "h2", "ws"),
                        default=["http"])
    parser.add_argument("--key", help="for https and h2")
    parser.add_argument("--certificate", help="for https and h2")
    parser.add_argument("--nodelay", action="store_true", help="set TCP_NODELAY on connections")
    options = parser.parse_args()

    with StashServer():
        # After the stash's process was started, so that it does not inherit the mask.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        # The first one is this process's own.
        own, *others = options.schemes
        processes = {scheme: started(scheme, options) for scheme in others}
        ports = {own: start(own, options), **{name: port for name, (_, port) in processes.items()}}
        listeners = [{"scheme": name, "host": HOST, "port": port} for name, port in ports.items()]
        unfinished = options.ready_file + ".unfinished"
        with open(unfinished, "w") as file:
            json.dump({"pid": os.getpid(), "listeners": listeners}, file)
        os.replace(unfinished, options.ready_file)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
        # They may be amid a request; nothing of theirs is to be kept.
        for process, _ in processes.values():
            process.kill()


def started(scheme, options):
    """The process of a server, and its port."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=serve, args=(scheme, options, sender), daemon=True)
    process.start()
    sender.close()
    return process, receiver.recv()


def serve(scheme, options, sender):
    sender.send(start(scheme, options))
    while True:
        signal.pause()


def start(scheme, options):
    """The port of a server that was started for a scheme."""
    if scheme == "ws":
        return start_websocket(options.doc_root)
    handler = NoDelayRequestHandler if options.nodelay else Http1WebTestRequestHandler
    secure = {"use_ssl": True, "key_file": options.key, "certificate": options.certificate}
    if scheme == "http":
        secure = {}
    if scheme == "h2":
        handler = Http2WebTestRequestHandler
        secure["http2"] = True
    server = WebTestHttpd(host=HOST, port=0, doc_root=options.doc_root, handler_cls=handler, **secure)
    server.start()
    return server.port


def start_websocket(doc_root):
    from pywebsocket3 import standalone

    settings, _ = standalone._parse_args_and_config(
        ["--server-host", HOST, "--port", "0", "--document_root", doc_root,
         "--websock_handlers", doc_root])
    settings.cgi_directories = []
    settings.is_executable_method = None
    server = standalone.WebSocketServer(settings)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server._sockets[0][0].getsockname()[1]


if __name__ == "__main__":
    main()
