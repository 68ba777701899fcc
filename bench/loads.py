"""The tools that make the load, each by a function that returns what it measured in one form:

    {"requests", "seconds", "bytes", "p50_us", "p99_us", "max_us",
     "errors": {"connect", "read", "write", "timeout", "status"}}

`requests` counts answers that came whole; of those, `errors["status"]` were not 2xx or 3xx.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import which

import installing
from installing import BENCH

TIMEOUT_SECONDS = 15


def load(tool, case, url, connections, seconds):
    """Runs a tool of `TOOLS`. Where it takes a minute more than it should, nothing was answered."""
    with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
        command, environment, understood = TOOLS[tool](case, url, connections, seconds, Path(folder))
        try:
            output = subprocess.run(command, capture_output=True, text=True,
                                    env={**os.environ, **environment},
                                    timeout=seconds + 4 * TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            return measured([], seconds, 0, no_errors() | {"timeout": connections})
        found = understood(output.stdout)
    if found is None:
        raise SystemExit(f"{tool} failed: {output.stdout[-2000:]}{output.stderr[-2000:]}")
    return found


def wrk(case, url, connections, seconds, folder):
    environment = {"BENCH_METHOD": case.method, "BENCH_FIELDS": field_lines(case)}
    if case.body:
        (folder / "body").write_bytes(case.body)
        environment["BENCH_BODY_FILE"] = str(folder / "body")
    # Each thread needs a connection.
    threads = min(case.threads, connections)
    return ["wrk", "--threads", str(threads), "--connections", str(connections),
            "--duration", f"{seconds}s", "--timeout", f"{TIMEOUT_SECONDS}s",
            "--script", str(BENCH / "measure.lua"), url], environment, json_line


def own_tool(name):
    """A script beside this one that prints such a line of JSON."""
    def prepared(case, url, connections, seconds, folder):
        at_once = ["--at-once", str(case.at_once)] if case.at_once > 1 else []
        return [sys.executable, str(BENCH / name), url, "--connections", str(connections),
                "--duration", str(seconds), "--timeout", str(TIMEOUT_SECONDS), *at_once], {}, json_line
    return prepared


def h2load(case, url, connections, seconds, folder):
    log = folder / "log"
    fields = [f"--header={line}" for line in field_lines(case).splitlines()]
    return ["h2load", "--threads=1", f"--clients={connections}", f"--duration={seconds}",
            f"--max-concurrent-streams={case.at_once}", f"--log-file={log}", *fields, url], {}, (
                lambda output: h2load_answer(output, log.read_text(), seconds))


TOOLS = {"wrk": wrk, "h2load": h2load, "closing_load.py": own_tool("closing_load.py"),
         "websocket_load.py": own_tool("websocket_load.py")}
PACKAGES = {"wrk": "wrk", "h2load": "nghttp2-client"}


def prepare(tool):
    """Its version; `Unavailable` when it cannot be had."""
    if tool not in PACKAGES:
        return f"bench/{tool}"
    installing.program(tool, PACKAGES[tool])
    result = subprocess.run([which(tool), "--version"], capture_output=True, text=True)
    first = (result.stdout + result.stderr).splitlines()[0]
    return " ".join(first.split()[:2])


def field_lines(case):
    return "".join(f"{name}: {value}\n" for name, value in case.fields.items())


def json_line(output):
    line = next((line for line in output.splitlines() if line.startswith("{")), None)
    return None if line is None else json.loads(line)


def h2load_answer(output, log, seconds):
    """From h2load's summary, which has the counts, and its log, which has each request's time."""
    counts = re.search(r"requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded, "
                       r"(\d+) failed, (\d+) errored, (\d+) timeout", output)
    codes = re.search(r"status codes: \d+ 2xx, \d+ 3xx, (\d+) 4xx, (\d+) 5xx", output)
    traffic = re.search(r"traffic: .*?\((\d+)\) total", output)
    if not counts or not codes or not traffic:
        return None
    times = sorted(int(row.split("\t")[2]) for row in log.splitlines())
    errored, timeout = int(counts[5]), int(counts[6])
    return {"requests": int(counts[2]) - errored, "seconds": seconds, "bytes": int(traffic[1]),
            "p50_us": at(times, 0.50), "p99_us": at(times, 0.99), "max_us": at(times, 1),
            "errors": {"connect": 0, "read": max(errored - timeout, 0), "write": 0,
                       "timeout": timeout, "status": int(codes[1]) + int(codes[2])}}


def no_errors():
    """The errors of the one form, to be counted."""
    return dict.fromkeys(("connect", "read", "write", "timeout", "status"), 0)


def measured(latencies, elapsed, total_bytes, errors):
    """What a tool of our own has measured, in the one form; `latencies` in seconds."""
    latencies = sorted(round(latency * 1e6) for latency in latencies)
    return {"requests": len(latencies), "seconds": elapsed, "bytes": total_bytes,
            "p50_us": at(latencies, 0.50), "p99_us": at(latencies, 0.99),
            "max_us": at(latencies, 1), "errors": errors}


def command_line(measure, about, awaited, **further):
    """The command line of a tool of our own: `measure(url, connections, duration, timeout)`, and
    what it takes beside that, by names and their defaults."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--duration", type=float, default=3)
    parser.add_argument("--timeout", type=float, default=15, help=f"seconds for {awaited}")
    for name, default in further.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    options = parser.parse_args()
    others = {name: getattr(options, name) for name in further}
    print(json.dumps(measure(options.url, options.connections, options.duration, options.timeout,
                             **others)))


def at(ordered, part):
    """The value below which `part` of an ordered list is."""
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0
