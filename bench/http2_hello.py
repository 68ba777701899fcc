"""A small answer over HTTP/2, many streams at a time, with h2load.

    python bench/http2_hello.py ours=https://127.0.0.1:9000/hello.py ours-h1=http://127.0.0.1:8000/hello.py

Each round goes once through every server, so that a noisy moment hits all of them. `http:` URLs are
asked over HTTP/1.1, on as many connections as there would be streams: that is what HTTP/2 is
compared with. `h2c:` is HTTP/2 without TLS.
"""
import argparse
import re
import subprocess
from shutil import which

import in_turn
from in_turn import Wrong


def measure(url, connections=1, streams=100, requests=100_000):
    """One run: `{"requests", "connections", "streams", "seconds", "requests_per_second"}`; `Wrong`
    when a request is lost or answered with anything but 2xx."""
    scheme, _, rest = url.partition(":")
    if scheme == "http":
        how = ["--h1", f"--clients={connections * streams}"]
    else:
        how = [f"--clients={connections}", f"--max-concurrent-streams={streams}"]
    command = ["h2load", "--threads=1", f"--requests={requests}", *how,
               f"{'http' if scheme == 'h2c' else scheme}:{rest}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    finished = re.search(r"finished in ([\d.]+)(us|ms|s),", result.stdout)
    good = re.search(r"status codes: (\d+) 2xx", result.stdout)
    if not finished or not good:
        raise Wrong(f"h2load said: {result.stdout}{result.stderr}")
    if int(good[1]) != requests:
        raise Wrong(f"{requests - int(good[1])} of {requests} requests did not go well at {url}")
    seconds = float(finished[1]) / {"us": 1e6, "ms": 1e3, "s": 1}[finished[2]]
    return {"requests": requests, "connections": connections, "streams": streams,
            "seconds": seconds, "requests_per_second": requests / seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("servers", nargs="+", metavar="NAME=URL[,REQUESTS]",
                        help="a slow server may be asked less than --requests")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if which("h2load") is None:
        raise Wrong("there is no h2load: apt-get install nghttp2-client")
    rates = {}
    for _ in range(options.rounds):
        for server in options.servers:
            name, _, url = server.partition("=")
            url, _, requests = url.partition(",")
            run = measure(url, options.connections, options.streams,
                          int(requests or options.requests))
            rates.setdefault((("server", name),), []).append(run["requests_per_second"])
    in_turn.tell_medians(rates)


if __name__ == "__main__":
    in_turn.run(main, "http2_hello")
