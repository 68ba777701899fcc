"""Memory at rest and start-up time: starts a server a few times and asks it once each time.

    python bench/memory.py --runs 5

Memory is the resident set of the process tree after one request to a handler. Start-up is
counted from the spawn to the listening socket, and to the last byte of that first answer.
`run.py` does the same at its start and keeps the numbers in the results file.
"""
import argparse
import http.client
import statistics
import sys
import time

import doc_root
import processes
import servers
from running import Unavailable

# Those that write a ready file, so that start-up can be told apart from polling.
SERVERS = ("ours", "reference")
SETTLE_SECONDS = 0.5


def measure(ready, root, runs):
    """`runs` starts of each server, in turn."""
    measured = []
    for number in range(1, runs + 1):
        for name, server in ready.items():
            try:
                measured.append({"round": number, "server": name, **one_start(server, root)})
            except (Unavailable, OSError, http.client.HTTPException) as error:
                print(f"memory: {name}: {error}", file=sys.stderr)
    return measured


def one_start(server, root):
    spawned = time.monotonic()
    with server.start(root) as running:
        listening = time.monotonic()
        connection = http.client.HTTPConnection(running.host, running.port, timeout=10)
        connection.request("GET", "/hello.py")
        response = connection.getresponse()
        body = response.read()
        answered = time.monotonic()
        connection.close()
        if (response.status, body) != (200, b"hello"):
            raise Unavailable(f"/hello.py answered {response.status}")
        time.sleep(SETTLE_SECONDS)
        return {
            "listening_ms": (listening - spawned) * 1000,
            "first_answer_ms": (answered - spawned) * 1000,
            "rss_kib": processes.rss_kib(running.pid),
            "processes": len(processes.tree(running.pid)),
            "threads": processes.thread_count(running.pid),
        }


def medians(measured):
    """{server: {quantity: median}} for what `measure` returned."""
    table = {}
    for name in dict.fromkeys(start["server"] for start in measured):
        starts = [start for start in measured if start["server"] == name]
        table[name] = {quantity: statistics.median(start[quantity] for start in starts)
                       for quantity in starts[0] if quantity not in ("round", "server")}
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=list(SERVERS))
    parser.add_argument("--max-rss-mb", type=float,
                        help="fail when our memory at rest is above this (1 MB = 10^6 bytes)")
    servers.add_server_options(parser)
    options = parser.parse_args()

    ready, _ = servers.prepared(options.servers, options)
    table = medians(measure(ready, doc_root.HANDLERS, options.runs))
    for name, row in table.items():
        print(f"{ready[name].title}: {row['rss_kib'] * 1024 / 1e6:.1f} MB at rest in "
              f"{row['processes']:.0f} process(es), {row['threads']:.0f} threads; listening after "
              f"{row['listening_ms']:.0f} ms, first answer after {row['first_answer_ms']:.0f} ms")
    if options.max_rss_mb is not None:
        ours = table.get("ours")
        if ours is None or ours["rss_kib"] * 1024 / 1e6 > options.max_rss_mb:
            sys.exit(f"our memory at rest is over {options.max_rss_mb} MB, or was not measured")


if __name__ == "__main__":
    main()
