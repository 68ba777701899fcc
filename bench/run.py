"""Measures the servers side by side and writes the numbers to a results file.

    python bench/run.py                          everything, about eighteen minutes
    python bench/run.py --cases hello --peers ours granian --connections 16 --rounds 3
    python bench/run.py --list                   the cases and the peers

All servers run during the whole run; one that works on when nobody asks is started anew. A round
goes once through every case, connection count and server, so that a noisy moment hits all of them;
report.py takes medians over the rounds.
A whole run ends with the handlers that sleep (sleepers.py) and, where `--wpt-root` names a
checkout, with the mix of real tests (mix.py).
"""
import argparse
import datetime
import http.client
import json
import os
import platform
import signal
import ssl
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import doc_root
import installing
import loads
import memory
import mix
import processes
import report
import servers
import sleepers
from cases import CASES, due
from running import Unavailable
from summary import as_text

RESULTS = servers.BENCH / "results" / "latest.json"
# Of a run of a part, which is not to take the place of a whole one.
PARTIAL_RESULTS = installing.CACHE / "partial.json"
# How long a server may go on working after a load, and how long is looked whether it does.
REST_SECONDS = 2
LOOK_SECONDS = 0.05
SCHEMES = tuple(dict.fromkeys(case.scheme for case in CASES.values()))


def main():
    options = arguments()
    if options.list:
        print(listing())
        return
    # Its servers are stopped then, as by an interrupt.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Some servers hold a file and a connection for each client, and inherit the limit.
    sleepers.raise_descriptor_limit(16384)
    names = options.peers or list(servers.SERVERS)
    ready, skipped = servers.prepared(names, options)
    chosen = [CASES[name] for name in options.cases or CASES]
    tools = {}
    for tool in dict.fromkeys(["wrk", *(case.tool for case in chosen)]):
        try:
            tools[tool] = loads.prepare(tool)
        except Unavailable as reason:
            skipped[tool] = str(reason)
            print(f"skipped what {tool} measures: {reason}", file=sys.stderr)
    results = {
        "format": 2,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "load": {"tools": tools, "rounds": options.rounds, "seconds_per_run": options.duration},
        "servers": {name: {"title": server.title, "short_title": server.short_title,
                           "version": server.version()} for name, server in ready.items()},
        "skipped": skipped, "runs": [], "memory": [],
    }
    save(results, options)
    chosen = [case for case in chosen if case.tool in tools]

    with doc_root.temporary() as root:
        if options.memory_runs:
            rested = {name: server for name, server in ready.items() if name in memory.SERVERS}
            results["memory"] = memory.measure(rested, root, options.memory_runs)
        with ExitStack() as stack:
            started = {}
            for name, server in list(ready.items()):
                try:
                    started[name] = stack.enter_context(server.start(root, SCHEMES))
                except Unavailable as reason:
                    results["skipped"][name] = str(reason)
                    print(f"skipped {name}: {reason}", file=sys.stderr)
            def restart(name):
                started[name].stop()
                started[name] = stack.enter_context(ready[name].start(root, SCHEMES))

            for measured in measure(started, chosen, options, restart):
                results["runs"].append(measured)
                save(results, options)

    if not options.cases and not options.connections and "ours" in ready:
        results["sleepers"] = sleepers.measure(ready["ours"], count=2000)
        save(results, options)
        if options.wpt_root:
            results["mix"] = mix.measure(options, ready["ours"])
            save(results, options)
    print(as_text(results))
    print(f"\nwritten to {options.out}; `python bench/report.py {options.out}` makes the page")
    if options.out == RESULTS:
        report.write(report.load(RESULTS))
    if any(run["marks"] for run in results["runs"]):
        print("some runs had errors; see the marks")
        sys.exit(1)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print the cases and the peers")
    parser.add_argument("--peers", nargs="+", choices=servers.SERVERS, metavar="PEER",
                        help="default: all")
    parser.add_argument("--cases", nargs="+", choices=CASES, metavar="CASE", help="default: all")
    parser.add_argument("--connections", nargs="+", type=int, metavar="N",
                        help="for every case; default: those of --list")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--duration", type=int, default=1, metavar="S",
                        help="seconds for one measurement (default: %(default)s)")
    parser.add_argument("--memory-runs", type=int, default=5, metavar="N",
                        help="starts per server for memory at rest and start-up time; 0: none")
    parser.add_argument("--out", type=Path, metavar="FILE",
                        help="default: bench/results/latest.json, of which docs/performance.md is "
                        "made, or .cache/bench/partial.json where cases, peers or connections are named")
    mix.add_options(parser)
    servers.add_server_options(parser)
    options = parser.parse_args()
    if options.out is None:
        partial = options.cases or options.peers or options.connections
        options.out = PARTIAL_RESULTS if partial else RESULTS
    return options


def listing():
    lines = [f"{case.name:16} {'/'.join(map(str, case.connections)):12} {case.text}\n"
             f"{'':29} {' '.join(case.servers)}" for case in CASES.values()]
    lines += ["", *(f"{name:18} {server.title}" for name, server in servers.SERVERS.items())]
    return "\n".join(lines)


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.partition(":")[2].strip() for line in file
                      if line.startswith("model name")), "unknown")
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)),
            "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
            "kernel": platform.release(), "system": platform.system(),
            "python": platform.python_version()}


def save(results, options):
    """After each measurement, so that an interrupted bench keeps what it has."""
    options.out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = options.out.with_name(options.out.name + ".unfinished")
    unfinished.write_text(json.dumps(results, separators=(",", ":")).replace(
        '{"round"', '\n{"round"') + "\n")
    unfinished.replace(options.out)


def measure(started, chosen, options, restart):
    turns = [(case, connections, name)
             for case in chosen
             for connections in options.connections or case.connections
             for name in started if name in case.servers]
    for number in range(1, options.rounds + 1):
        for turn, (case, connections, name) in enumerate(turns, (number - 1) * len(turns) + 1):
            run = {"round": number, "case": case.name, "connections": connections, "server": name}
            run.update(one_run(started[name], case, connections, options.duration))
            print(f"[{turn}/{len(turns) * options.rounds}] {case.name:16} c={connections:<3} "
                  f"{name:18} {run['requests_per_second']:>10.0f}/s  "
                  f"p99 {run['p99_us'] / 1000:8.2f} ms  {' '.join(run['marks'])}",
                  file=sys.stderr, flush=True)
            yield run
            if not comes_to_rest(started[name]):
                print(f"{name} still works although nobody asks; it is started anew",
                      file=sys.stderr, flush=True)
                restart(name)


def comes_to_rest(server):
    """Whether the server stops working soon after a load. One that does not would take a CPU from all
    that are measured after it, as a process of the reference has done."""
    deadline = time.monotonic() + REST_SECONDS
    while time.monotonic() < deadline:
        before = processes.cpu_seconds(server.pid)
        time.sleep(LOOK_SECONDS)
        if processes.cpu_seconds(server.pid) - before < LOOK_SECONDS / 2:
            return True
    return False


def one_run(server, case, connections, seconds):
    """One run of the load; `marks` says in words what was wrong with it, and is empty when all was well."""
    answer = asked_by_hand(server, case)
    marks = [answer["wrong"]] if answer["wrong"] else []
    tool = "closing_load.py" if answer["ends_with_connection"] else case.tool
    url = f"{case.url_scheme}://{server.host}:{server.ports[case.scheme]}{case.target}"

    processes.reset_peak_rss(server.pid)
    cpu_before = processes.cpu_seconds(server.pid)
    measured = loads.load(tool, case, url, connections, seconds)
    cpu = processes.cpu_seconds(server.pid) - cpu_before

    errors = measured["errors"]
    marks += [f"{count} {kind} errors" if kind != "status" else f"{count} answers not 2xx or 3xx"
              for kind, count in errors.items() if count]
    if server.process.poll() is not None:
        marks.append(f"the server ended with {server.process.returncode}")
    if measured["requests"] == 0:
        marks.append("no request completed")
    # Answers with a wrong status are among the requests, the others are not.
    asked = measured["requests"] + sum(errors.values()) - errors["status"]
    return {
        "tool": tool,
        **measured,
        "requests_per_second": measured["requests"] / measured["seconds"],
        "failed_percent": 100 * sum(errors.values()) / asked if asked else 100.0,
        "cpu_us_per_request": cpu * 1e6 / measured["requests"] if measured["requests"] else None,
        "peak_rss_kib": processes.peak_rss_kib(server.pid),
        "marks": marks,
    }


def asked_by_hand(server, case):
    """One request before the load: fast wrong answers must not count, and the tool has to suit the answer.

    HTTP/2 and WebSocket have tools that look at each answer.
    """
    if case.scheme not in ("http", "https"):
        return {"wrong": None, "ends_with_connection": False}
    port = server.ports[case.scheme]
    if case.scheme == "https":
        connection = http.client.HTTPSConnection(server.host, port, timeout=loads.TIMEOUT_SECONDS,
                                                 context=ssl._create_unverified_context())
    else:
        connection = http.client.HTTPConnection(server.host, port, timeout=loads.TIMEOUT_SECONDS)
    try:
        connection.request(case.method, case.target, case.body or None, case.fields)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        return {"wrong": f"asked by hand: {error!r}", "ends_with_connection": False}
    finally:
        connection.close()
    wrong = None
    if response.status != 200 or body != due(case, port):
        wrong = f"asked by hand: status {response.status}, {len(body)} bytes"
    return {"wrong": wrong,
            "ends_with_connection": response.getheader("Content-Length") is None
            and response.getheader("Transfer-Encoding") is None}


if __name__ == "__main__":
    main()
