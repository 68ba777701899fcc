"""Ten thousand trickled responses at once.

    python bench/trickles.py --max-seconds 4 --max-rss-mb 400

Opens 10,000 connections, asks on each for a file with `?pipe=trickle(d2)`, whose content waits
two seconds, and takes the time from the first request until the last answer. Exits with 1 when
a limit is broken or an answer is missing or wrong.
"""
import argparse
import selectors
import socket
import sys
import time

import doc_root
import processes
import servers
from sleepers import raise_descriptor_limit

FILE = "static_1k.txt"
GIVE_UP_SECONDS = 60


def main():
    options = arguments()
    raise_descriptor_limit(options.count + 200)
    ready, missing = servers.prepared(["ours"], options)
    if missing:
        sys.exit(1)
    with doc_root.temporary() as root, ready["ours"].start(root) as server:
        at_rest = processes.rss_kib(server.pid)
        processes.reset_peak_rss(server.pid)
        seconds, wrong = ask(server, options)
        peak = processes.peak_rss_kib(server.pid) * 1024 / 1e6
        threads = processes.thread_count(server.pid)
    answered = options.count - len(wrong)
    print(f"{answered}/{options.count} answered in {seconds:.2f} s; peak memory {peak:.1f} MB "
          f"(at rest {at_rest * 1024 / 1e6:.1f} MB), {threads} threads")
    failures = [f"wrong: {what}" for what in wrong[:5]]
    if options.max_seconds and seconds > options.max_seconds:
        failures.append(f"{seconds:.2f} s, of at most {options.max_seconds} s")
    if options.max_rss_mb and peak > options.max_rss_mb:
        failures.append(f"{peak:.1f} MB, of at most {options.max_rss_mb} MB")
    for failure in failures:
        print(f"FAILED: {failure}")
    sys.exit(1 if failures else 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="responses (default: 10,000)")
    parser.add_argument("--max-seconds", type=float, help="until the last answer")
    parser.add_argument("--max-rss-mb", type=float, help="peak resident memory, 1 MB = 10^6 bytes")
    servers.add_server_options(parser)
    return parser.parse_args()


def ask(server, options):
    """Seconds until the last answer, and what is wrong with those that are."""
    connections = [socket.create_connection((server.host, server.port))
                   for _ in range(options.count)]
    request = (f"GET /{FILE}?pipe=trickle(d2) HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n"
               "Connection: close\r\n\r\n").encode()
    began = time.monotonic()
    with selectors.DefaultSelector() as waiting:
        for connection in connections:
            connection.sendall(request)
            connection.setblocking(False)
            waiting.register(connection, selectors.EVENT_READ, bytearray())
        wrong = []
        while waiting.get_map() and time.monotonic() - began < GIVE_UP_SECONDS:
            for key, _ in waiting.select(1):
                data = key.fileobj.recv(65536)
                key.data.extend(data)
                if not data:
                    waiting.unregister(key.fileobj)
                    key.fileobj.close()
                    head, _, content = key.data.partition(b"\r\n\r\n")
                    if not head.startswith(b"HTTP/1.1 200 ") or content != EXPECTED:
                        wrong.append(f"{bytes(head[:40])!r}, {len(content)} bytes of content")
        wrong += ["no answer"] * len(waiting.get_map())
    return time.monotonic() - began, wrong


EXPECTED = doc_root.STATIC_FILES[FILE]

if __name__ == "__main__":
    main()
