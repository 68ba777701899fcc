"""A long mixed load, and whether memory, threads and descriptors stay flat under it.

    python bench/long_life.py                        an hour, into bench/results/long_life.json
    python bench/long_life.py --minutes 3 --seconds 20

The load (mixed_load.py) runs in chunks of a minute: handlers, the stash, files, templates and pipes,
forms and uploads, TLS, WebSockets, requests that are given up, malformed ones. At the end of a chunk
all its connections are closed, and once the server has come to rest it is sampled: /proc, and what
docroot/heap.py says of malloc and Python from inside. The growth in an hour is judged over the
second half of the run (trend.py). Exits with 1 when a quantity grows, or an answer was wrong.
"""
import argparse
import asyncio
import datetime
import http.client
import json
import sys
import time
from pathlib import Path

import doc_root
import mixed_load
import processes
import servers
import trend

RESULTS = servers.BENCH / "results" / "long_life.json"
# The most growth in an hour that is called flat.
LIMITS = {"rss_kib": 2048, "pss_kib": 2048, "malloc_bytes": 512 * 1024, "python_blocks": 500,
          "python_objects": 250, "threads": 2, "descriptors": 2}
SCHEMES = ("http", "https", "ws", "wss")


def main():
    options = arguments()
    ready, missing = servers.prepared(["ours"], options)
    if missing:
        sys.exit(1)
    results = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "version": ready["ours"].version(), "chunk_seconds": options.seconds,
        "clients": options.clients, "samples": [], "verdicts": {},
    }
    with doc_root.temporary() as root, ready["ours"].start(root, SCHEMES) as server:
        # Compiles all handlers, starts the pool's threads, fills the caches.
        asyncio.run(mixed_load.run(server.ports, min(options.seconds, 10), options.clients,
                                   options.pause, "warm-up"))
        began = time.monotonic()
        for number in range(options.minutes):
            load = asyncio.run(mixed_load.run(server.ports, options.seconds, options.clients,
                                              options.pause, number))
            time.sleep(options.rest)
            sampled = {"minute": (time.monotonic() - began) / 60, **load, **sample(server)}
            results["samples"].append(sampled)
            results["verdicts"] = verdicts(results["samples"])
            write(options.out, results)
            print(line(sampled), flush=True)
            if server.process.poll() is not None:
                sys.exit(f"the server ended with {server.process.returncode}: {server.stderr()[-2000:]}")
    print(as_text(results))
    if not all(verdict["flat"] for verdict in results["verdicts"].values()) or wrong(results):
        sys.exit(1)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=60, metavar="N",
                        help="how many chunks (default: 60)")
    parser.add_argument("--seconds", type=float, default=57,
                        help="of load in a chunk (default: 57, which with the rest make a minute)")
    parser.add_argument("--rest", type=float, default=3,
                        help="seconds without load before a sample (default: 3)")
    parser.add_argument("--clients", type=int, default=8, help="sessions at once (default: 8)")
    parser.add_argument("--pause", type=float, default=0.2,
                        help="mean seconds between two sessions of a client (default: 0.2)")
    parser.add_argument("--out", type=Path, default=RESULTS)
    servers.add_server_options(parser)
    return parser.parse_args()


def sample(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.ports["http"], timeout=30)
    connection.request("GET", "/heap.py", headers={"Connection": "close"})
    heap = json.loads(connection.getresponse().read())
    connection.close()
    return {
        "rss_kib": processes.rss_kib(server.pid), "pss_kib": processes.pss_kib(server.pid),
        "threads": processes.thread_count(server.pid),
        "descriptors": processes.descriptor_count(server.pid),
        "cpu_seconds": processes.cpu_seconds(server.pid), **heap,
    }


def verdicts(samples):
    known = {name: limit for name, limit in LIMITS.items() if name in samples[0]}
    series = {name: [(sampled["minute"], sampled[name]) for sampled in samples] for name in known}
    return trend.judge(series, known, hour=60)


def wrong(results):
    return [what for sampled in results["samples"] for what in sampled["wrong"]]


def write(path, results):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")


def line(sampled):
    return (f"{sampled['minute']:6.1f} min  {sampled['requests']:7,} requests  "
            f"{len(sampled['wrong'])} wrong  rss {sampled['rss_kib'] / 1024:.1f} MiB  "
            f"malloc {sampled.get('malloc_bytes', 0) / 2**20:.2f} MiB  "
            f"python {sampled['python_blocks']:,} blocks  {sampled['threads']} threads  "
            f"{sampled['descriptors']} descriptors")


def as_text(results):
    """The verdict for a terminal."""
    requests = sum(sampled["requests"] for sampled in results["samples"])
    lines = [f"{requests:,} requests in {results['samples'][-1]['minute']:.0f} minutes, "
             f"{len(wrong(results))} wrong answers"]
    for name, verdict in results["verdicts"].items():
        lines.append(f"{name:15} {'flat   ' if verdict['flat'] else 'GROWING'} "
                     f"first {verdict['first']:,.0f}, median {verdict['median']:,.0f}, "
                     f"last {verdict['last']:,.0f}; {verdict['growth_per_hour']:+,.1f} in an hour "
                     f"(limit {verdict['limit_per_hour']:,})")
    return "\n".join([*lines, *(f"wrong: {what}" for what in wrong(results)[:20])])


if __name__ == "__main__":
    main()
