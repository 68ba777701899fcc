"""Many clients that ask for small files, beside each kind of request that takes long.

    python bench/beside_work.py --clients 2000 --max-p99-ms 50 --max-rss-mb 150 --max-stop-seconds 1

Starts the server for each kind of work, begins some requests of it, and opens the clients: each
asks for a small file again and again, on a connection of its own, at a rate that leaves the machine
some room. What is measured: how long the small files take, the most memory that the server had, and
how long it takes to end on SIGTERM while the work goes on. Exits with 1 when a limit is broken, or
when an answer is wrong.
"""
import argparse
import json
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GIB = 1024**3
SMALL = b"small" * 200
GZIPS = "|".join(["gzip"] * 32)
# What the work is, and the request; the files are sparse, and too large to be done in time.
WORK = {
    "nothing": None,
    "gzip": "GET /large.bin?pipe=gzip",
    "br": "GET /large.bin?pipe=br",
    "zstd": "GET /large.bin?pipe=zstd",
    "32 gzips": f"GET /large.bin?pipe={GZIPS}",
    "two ranges of 64 GiB": "GET /large.bin\r\nRange: bytes=0-1,5-6",
    "slice(0,10^18)": f"GET /large.bin?pipe=slice(0,{10**18})",
    "a template of 64 GiB": "GET /large.sub.html",
    "a listing of 100,000 names": "GET /many/",
    "named pipes": "GET /pipe.txt",
    "headers in a named pipe": "GET /headers.txt",
}


def main():
    options = arguments()
    resource.setrlimit(resource.RLIMIT_NOFILE, (options.clients + 500,) * 2)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        root = document_root(Path(folder))
        for name, request in WORK.items():
            if options.only and name not in options.only:
                continue
            found = measure(options, root, request)
            problems = broken(options, found)
            failed = failed or bool(problems)
            print(f"{name}: {found['answered']} small files, p50 {found['p50_ms']:.1f} ms, "
                  f"p99 {found['p99_ms']:.1f} ms, longest {found['max_ms']:.1f} ms; peak memory "
                  f"{found['rss_mb']:.0f} MB; ended in {found['stop_seconds']:.2f} s"
                  + "".join(f"; {problem}" for problem in problems), flush=True)
    sys.exit(failed)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).parents[1] / "target/release/wptserve"
    parser.add_argument("--bin", default=str(default))
    parser.add_argument("--clients", type=int, default=2000)
    parser.add_argument("--rate", type=int, default=1000, help="small files a second, of all")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--at-once", type=int, default=4, help="how many requests of the work")
    parser.add_argument("--only", nargs="*", help="kinds of work")
    parser.add_argument("--max-p99-ms", type=float)
    parser.add_argument("--max-rss-mb", type=float)
    parser.add_argument("--max-stop-seconds", type=float)
    return parser.parse_args()


def document_root(root):
    (root / "small.txt").write_bytes(SMALL)
    (root / "headers.txt").write_bytes(SMALL)
    for name in ("large.bin", "large.sub.html"):
        with open(root / name, "wb") as file:
            file.truncate(64 * GIB)
    (root / "many").mkdir()
    for number in range(100_000):
        os.mknod(root / "many" / f"{number}.txt")
    for name in ("pipe.txt", "headers.txt.headers"):
        os.mkfifo(root / name)
    return root


def measure(options, root, request):
    ready = root.parent / f"{root.name}-ready.json"
    ready.unlink(missing_ok=True)
    command = [options.bin, str(root), "--port", "0", "--ready-file", str(ready)]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        while not ready.exists():
            if server.poll() is not None:
                sys.exit(f"{command} ended")
            time.sleep(0.01)
        listener = json.loads(ready.read_text())["listeners"][0]
        address = listener["host"], listener["port"]
        working = [begin(address, request) for _ in range(options.at_once if request else 0)]
        found = small_files(options, address)
        found["rss_mb"] = peak_memory(server.pid)
        begun = time.monotonic()
        server.send_signal(signal.SIGTERM)
        server.wait(30)
        found["stop_seconds"] = time.monotonic() - begun
        for connection in working:
            connection.close()
        return found
    finally:
        ready.unlink(missing_ok=True)
        if server.poll() is None:
            server.kill()
            server.wait()


def begin(address, request):
    line, *fields = request.split("\r\n")
    connection = socket.create_connection(address)
    connection.sendall("\r\n".join([f"{line} HTTP/1.1", *fields, "Host: h", "", ""]).encode())
    return connection


class Client:
    """A connection that asks for a small file when it is its turn."""

    def __init__(self, address):
        self.socket = socket.create_connection(address)
        self.socket.setblocking(False)
        self.asked = None
        self.received = b""

    def ask(self):
        self.asked = time.monotonic()
        self.received = b""
        self.socket.send(b"GET /small.txt HTTP/1.1\r\nHost: h\r\n\r\n")

    def read(self):
        """How long the answer took, once all of it is there."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed")
        self.received += data
        if not self.received.endswith(SMALL):
            return None
        took, self.asked = time.monotonic() - self.asked, None
        return took


def small_files(options, address):
    selector = selectors.DefaultSelector()
    clients = [Client(address) for _ in range(options.clients)]
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
    times, turn, sent = [], 0, 0
    begun = time.monotonic()
    # Answers may come until a while after the last request.
    while (now := time.monotonic() - begun) < options.seconds + 5:
        while now < options.seconds and sent < now * options.rate:
            client = clients[turn % len(clients)]
            turn += 1
            sent += 1
            if client.asked is None:
                client.ask()
        for key, _ in selector.select(0.001):
            took = key.data.read()
            if took is not None:
                times.append(took)
        if now >= options.seconds and all(client.asked is None for client in clients):
            break
    wrong = sum(client.asked is not None for client in clients)
    for client in clients:
        client.socket.close()
    times.sort()
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))] * 1000 if times else 0.0
    return {"answered": len(times), "unanswered": wrong, "p50_ms": at(0.5), "p99_ms": at(0.99),
            "max_ms": at(1)}


def peak_memory(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def broken(options, found):
    limits = [
        ("p99_ms", options.max_p99_ms), ("rss_mb", options.max_rss_mb),
        ("stop_seconds", options.max_stop_seconds), ("unanswered", 0),
    ]
    return [f"{name} is over {limit}" for name, limit in limits
            if limit is not None and found[name] > limit]


if __name__ == "__main__":
    main()
