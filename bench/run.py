"""Measures the servers side by side with wrk and writes the numbers to a results file.

    python bench/run.py                          everything, about ten minutes
    python bench/run.py --cases hello --servers ours granian --connections 16

All servers run during the whole run. A round goes once through every case, connection count
and server, so that a noisy moment hits all of them; report.py takes medians over the rounds.
"""
import argparse
import datetime
import http.client
import json
import os
import platform
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from shutil import which

import doc_root
import memory
import processes
import report
import servers

CASES = {
    "hello": "/hello.py",
    "get_first": "/get_first.py?content-type=text/plain",
    "stash": "/stash.py",
    "static_1k": "/static_1k.txt",
    "static_1m": "/static_1m.txt",
    "template": "/template.sub.html?title=bench",
    "pipes": "/static_1k.txt?pipe=header(X-Bench,1)|slice(0,512)",
}
ONLY = {"granian": {"hello"}, "nginx": {"static_1k", "static_1m"}}
BODIES = {"hello": b"hello", "get_first": b"hello", "stash": b"hello",
          "static_1k": doc_root.STATIC_FILES["static_1k.txt"],
          "static_1m": doc_root.STATIC_FILES["static_1m.txt"],
          "pipes": doc_root.STATIC_FILES["static_1k.txt"][:512]}
TIMEOUT_SECONDS = 15


def main():
    options = arguments()
    if which("wrk") is None:
        sys.exit("bench needs wrk: apt-get install wrk")

    names = options.servers or [name for name in servers.SERVERS
                                if name != "reference-nodelay" or options.nodelay]
    ready, skipped = servers.prepared(names, options)
    results = {
        "format": 1,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "load": {"tool": wrk_version(), "threads": 1, "rounds": options.rounds,
                 "seconds_per_run": options.duration, "cases": options.cases,
                 "connections": options.connections},
        "servers": {name: {"title": server.title, "version": server.version()}
                    for name, server in ready.items()},
        "skipped": skipped,
        "runs": [],
        "memory": [],
    }
    out = Path(options.out)
    out.parent.mkdir(parents=True, exist_ok=True)

    with doc_root.temporary() as root:
        if options.memory_runs:
            rested = {name: server for name, server in ready.items() if name in memory.SERVERS}
            results["memory"] = memory.measure(rested, root, options.memory_runs)
        with ExitStack() as stack:
            running = {}
            for name, server in list(ready.items()):
                try:
                    running[name] = stack.enter_context(server.start(root))
                except servers.Unavailable as reason:
                    results["skipped"][name] = str(reason)
                    print(f"skipped {name}: {reason}", file=sys.stderr)
            for measured in measure(running, options):
                results["runs"].append(measured)
                # After each run, so that an interrupted bench keeps what it has.
                out.write_text(json.dumps(results, indent=1) + "\n")

    out.write_text(json.dumps(results, indent=1) + "\n")
    print(report.as_text(results))
    print(f"\nwritten to {out}; `python bench/report.py {out}` makes the page")
    if any(run["marks"] for run in results["runs"]):
        print("some runs had errors; see the marks")
        sys.exit(1)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--servers", nargs="+", choices=servers.SERVERS,
                        help="default: all but reference-nodelay")
    parser.add_argument("--nodelay", action="store_true",
                        help="also the reference with TCP_NODELAY set by our start script")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--connections", nargs="+", type=int, default=[1, 16, 64])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--duration", type=int, default=3, help="seconds per run (default: 3)")
    parser.add_argument("--memory-runs", type=int, default=5,
                        help="starts per server for memory at rest and start-up time; 0: none")
    parser.add_argument("--out", default=str(servers.BENCH / "results" / "latest.json"))
    servers.add_server_options(parser)
    return parser.parse_args()


def measure(running, options):
    total = options.rounds * sum(
        1 for case in options.cases for name in running if applies(name, case)
    ) * len(options.connections)
    done = 0
    for number in range(1, options.rounds + 1):
        for case in options.cases:
            for connections in options.connections:
                for name, server in running.items():
                    if not applies(name, case):
                        continue
                    done += 1
                    run = {"round": number, "case": case, "connections": connections,
                           "server": name}
                    run.update(one_run(server, case, connections, options.duration))
                    print(f"[{done}/{total}] {case:10} c={connections:<3} {name:18} "
                          f"{run['requests_per_second']:>10.0f}/s  "
                          f"p99 {run['p99_us'] / 1000:8.2f} ms  {' '.join(run['marks'])}",
                          file=sys.stderr, flush=True)
                    yield run


def applies(name, case):
    return case in ONLY.get(name, CASES)


def one_run(server, case, connections, seconds):
    """One run of the load; `marks` says in words what was wrong with it, and is empty when all was well."""
    answer = asked_by_hand(server, case)
    marks = [answer["wrong"]] if answer["wrong"] else []
    tool = "closing_load.py" if answer["ends_with_connection"] else "wrk"

    processes.reset_peak_rss(server.pid)
    cpu_before = processes.cpu_seconds(server.pid)
    measured = loads(tool, server.url + CASES[case][1:], connections, seconds)
    cpu = processes.cpu_seconds(server.pid) - cpu_before

    marks += [f"{count} {kind} errors" if kind != "status" else f"{count} answers not 2xx or 3xx"
              for kind, count in measured["errors"].items() if count]
    if server.process.poll() is not None:
        marks.append(f"the server ended with {server.process.returncode}")
    if measured["requests"] == 0:
        marks.append("no request completed")
    return {
        "tool": tool,
        **measured,
        "requests_per_second": measured["requests"] / measured["seconds"],
        "cpu_us_per_request": cpu * 1e6 / measured["requests"] if measured["requests"] else None,
        "peak_rss_kib": processes.peak_rss_kib(server.pid),
        "marks": marks,
    }


def loads(tool, url, connections, seconds):
    if tool == "wrk":
        command = ["wrk", "--threads", "1", "--connections", str(connections),
                   "--duration", f"{seconds}s", "--timeout", f"{TIMEOUT_SECONDS}s",
                   "--script", str(servers.BENCH / "measure.lua"), url]
    else:
        command = [sys.executable, str(servers.BENCH / tool), url, "--connections", str(connections),
                   "--duration", str(seconds), "--timeout", str(TIMEOUT_SECONDS)]
    output = subprocess.run(command, capture_output=True, text=True,
                            timeout=seconds + 4 * TIMEOUT_SECONDS)
    line = next((line for line in output.stdout.splitlines() if line.startswith("{")), None)
    if line is None:
        raise SystemExit(f"{tool} failed: {output.stdout}{output.stderr}")
    return json.loads(line)


def asked_by_hand(server, case):
    """One request before the load: fast wrong answers must not count, and wrk has to suit the answer."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", CASES[case])
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        return {"wrong": f"asked by hand: {error!r}", "ends_with_connection": False}
    finally:
        connection.close()
    wrong = None
    expected = doc_root.filled_template(server.port) if case == "template" else BODIES[case]
    if response.status != 200 or body != expected:
        wrong = f"asked by hand: status {response.status}, {len(body)} bytes"
    return {"wrong": wrong,
            "ends_with_connection": response.getheader("Content-Length") is None
            and response.getheader("Transfer-Encoding") is None}


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.partition(":")[2].strip() for line in file
                      if line.startswith("model name")), "unknown")
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)),
            "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
            "kernel": platform.release(), "system": platform.system(),
            "python": platform.python_version()}


def wrk_version():
    output = subprocess.run(["wrk", "--version"], capture_output=True, text=True)
    lines = (output.stdout + output.stderr).splitlines()
    return " ".join(lines[0].split()[:2]) if lines else "wrk"


if __name__ == "__main__":
    main()
