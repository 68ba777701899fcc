"""Turns a results file of run.py into docs/performance.md.

    python bench/report.py                       bench/results/latest.json → docs/performance.md
    python bench/report.py FILE --out -          to the terminal

Every number on the page comes from the results file; the prose here says only how they were taken.
"""
import argparse
import json
import statistics
from pathlib import Path

import memory

BENCH = Path(__file__).resolve().parent
CASE_TEXT = {
    "hello": "a handler that returns one header and five bytes",
    "get_first": "a handler that reads a query parameter and sets it as a header",
    "stash": "a handler that puts a value under a fresh UUID and takes it out again",
    "static_1k": "a file of 1 KiB",
    "static_1m": "a file of 1 MiB",
    "template": "a `.sub.html` file with six tokens",
    "pipes": "the file of 1 KiB through `header` and `slice`",
}
COMPARED_WITH = ("reference", "reference-nodelay", "granian", "nginx")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="?", default=str(BENCH / "results" / "latest.json"))
    parser.add_argument("--out", default=str(BENCH.parent / "docs" / "performance.md"),
                        help="- for the terminal (default: %(default)s)")
    options = parser.parse_args()
    page = as_page(json.loads(Path(options.results).read_text()))
    if options.out == "-":
        print(page, end="")
    else:
        Path(options.out).parent.mkdir(parents=True, exist_ok=True)
        Path(options.out).write_text(page)


class Summary:
    """The medians of a results file, by (case, connections, server)."""

    def __init__(self, results):
        self.cells = {}
        for run in results["runs"]:
            key = run["case"], run["connections"], run["server"]
            self.cells.setdefault(key, []).append(run)
        self.rows = list(dict.fromkeys(key[:2] for key in self.cells))
        self.cases = list(dict.fromkeys(case for case, _ in self.rows))
        self.servers = [name for name in results["servers"]
                        if any(key[2] == name for key in self.cells)]

    def median(self, case, connections, server, quantity):
        values = [run[quantity] for run in self.cells.get((case, connections, server), ())
                  if run[quantity] is not None]
        return statistics.median(values) if values else None

    def spread(self, case, connections, server, quantity):
        """Lowest and highest value as parts of the median, for the noise of a run."""
        values = [run[quantity] for run in self.cells.get((case, connections, server), ())]
        middle = statistics.median(values) if values else 0
        return (min(values) / middle, max(values) / middle) if middle else None

    def ratio(self, case, connections, other):
        ours = self.median(case, connections, "ours", "requests_per_second")
        theirs = self.median(case, connections, other, "requests_per_second")
        return ours / theirs if ours and theirs else None

    def marks(self, case, connections, server):
        return [f"round {run['round']}: {', '.join(run['marks'])}"
                for run in self.cells.get((case, connections, server), ()) if run["marks"]]

    def compared_with(self):
        if "ours" not in self.servers:
            return []
        return [name for name in COMPARED_WITH if name in self.servers]


def as_page(results):
    summary = Summary(results)
    servers, load, machine = results["servers"], results["load"], results["machine"]
    lines = [
        "# Performance",
        "",
        "Written by `bench/report.py` from a results file; change the bench, not this page.",
        "",
        f"Measured {results['date']} on {machine['cores']} core(s) of {machine['cpu']}, "
        f"{machine['memory_mib'] / 1024:.0f} GiB, {machine['system']} {machine['kernel']}; the load "
        f"({load['tool']}, {load['threads']} thread, keep-alive where the server allows it) "
        "ran on the same machine, over loopback. "
        f"Each number is the median of {load['rounds']} round(s) of {load['seconds_per_run']} s; "
        "the servers take turns within a round. Single rounds differ: trust the ratios "
        "and the CPU time more than the rates.",
        "",
    ]
    lines += table(["server", "version"],
                   [[f"{row['title']}", row["version"]] for row in servers.values()])
    lines += [f"Not measured: {name} ({reason})." for name, reason in results["skipped"].items()]
    if results["skipped"]:
        lines.append("")
    lines += [f"- `{case}`: {CASE_TEXT[case]}" for case in summary.cases] + [""]

    if not results["runs"]:
        lines += ["No runs in this file.", ""]
    else:
        lines += rates(summary, servers)
        lines += latencies(summary, servers)
        lines += cpu(summary, servers)
        lines += peaks(summary, servers)
        lines += noise(summary)
    lines += rest(results, servers)
    lines += [
        "## How to repeat",
        "",
        "    cargo build --release",
        "    python3 bench/run.py" + (" --nodelay" if "reference-nodelay" in servers else ""),
        "    python3 bench/report.py",
        "",
        "needs `wrk` and Python 3.10 or newer; the servers compared with are installed under "
        "`.cache/bench` on the first run. `bench/README.md` has the options.",
    ]
    return "\n".join(lines) + "\n"


def rates(summary, servers):
    others = summary.compared_with()
    head = ["case", "connections", *(servers[name]["title"] for name in summary.servers),
            *(f"ours / {name}" for name in others)]
    rows, notes = [], []
    for case, connections in summary.rows:
        row = [f"`{case}`", str(connections)]
        for name in summary.servers:
            marks = summary.marks(case, connections, name)
            row.append(number(summary.median(case, connections, name, "requests_per_second"))
                       + (" (!)" if marks else ""))
            notes += [f"- (!) {name}, `{case}`, {connections} connections, {mark}" for mark in marks]
        for name in others:
            marked = summary.marks(case, connections, "ours") or summary.marks(case, connections, name)
            row.append(times(summary.ratio(case, connections, name)) + (" (!)" if marked else ""))
        rows.append(row)
    lines = ["## Requests per second", "", *table(head, rows, numbers_from=1)]
    closing = sorted({(run["server"], run["case"]) for runs in summary.cells.values()
                      for run in runs if run["tool"] != "wrk"})
    if closing:
        lines += ["Answers whose body ends with the connection were asked for by "
                  "`bench/closing_load.py`, as wrk opens two connections for each of those: "
                  + ", ".join(f"{server} `{case}`" for server, case in closing) + ".", ""]
    if notes:
        lines += ["Runs marked (!) had errors, so their numbers do not count:", "", *notes, ""]
    return lines


def latencies(summary, servers):
    rows = []
    for case, connections in summary.rows:
        row = [f"`{case}`", str(connections)]
        for name in summary.servers:
            p50 = summary.median(case, connections, name, "p50_us")
            p99 = summary.median(case, connections, name, "p99_us")
            row.append("–" if p50 is None else f"{number(p50 / 1000)} / {number(p99 / 1000)}")
        rows.append(row)
    return ["## Latency: p50 / p99 in milliseconds", "",
            *table(["case", "connections", *(servers[name]["title"] for name in summary.servers)],
                   rows, numbers_from=1)]


def cpu(summary, servers):
    rows = [[f"`{case}`", str(connections),
             *(number(summary.median(case, connections, name, "cpu_us_per_request"))
               for name in summary.servers)]
            for case, connections in summary.rows]
    return ["## CPU per request in microseconds", "",
            "User and system time of all the server's processes and threads, from /proc.", "",
            *table(["case", "connections", *(servers[name]["title"] for name in summary.servers)],
                   rows, numbers_from=1)]


def peaks(summary, servers):
    rows = []
    for case in summary.cases:
        row = [f"`{case}`"]
        for name in summary.servers:
            values = [run["peak_rss_kib"] for key, runs in summary.cells.items()
                      if key[0] == case and key[2] == name for run in runs]
            row.append(number(max(values) * 1024 / 1e6) if values else "–")
        rows.append(row)
    return ["## Highest memory under load in MB", "",
            "The greatest resident set of the process tree in any run of the case "
            "(pages shared between processes count for each).", "",
            *table(["case", *(servers[name]["title"] for name in summary.servers)],
                   rows, numbers_from=1)]


def noise(summary):
    rows = []
    for name in summary.servers:
        spreads = [spread for case, connections in summary.rows
                   if (spread := summary.spread(case, connections, name, "requests_per_second"))]
        if spreads:
            rows.append([name, f"{(min(low for low, _ in spreads) - 1) * 100:+.0f} %",
                         f"{(max(high for _, high in spreads) - 1) * 100:+.0f} %"])
    return ["## Noise", "",
            "How far single rounds were from their median rate, over all cases:", "",
            *table(["server", "lowest", "highest"], rows, numbers_from=1)]


def rest(results, servers):
    if not results["memory"]:
        return []
    starts = {name: sum(start["server"] == name for start in results["memory"])
              for name in servers}
    rows = [[servers[name]["title"], str(starts[name]), number(row["rss_kib"] * 1024 / 1e6),
             number(row["processes"]), number(row["threads"]), number(row["listening_ms"]),
             number(row["first_answer_ms"])]
            for name, row in memory.medians(results["memory"]).items()]
    return ["## At rest", "",
            "After one request to a handler; times count from the spawn. Medians.", "",
            *table(["server", "starts", "resident memory in MB", "processes", "threads",
                    "listening after ms", "first answer after ms"], rows, numbers_from=1)]


def as_text(results):
    """The rates and ratios for a terminal, at the end of a run."""
    summary = Summary(results)
    others = summary.compared_with()
    lines = []
    for case, connections in summary.rows:
        cells = []
        for name in summary.servers:
            rate = summary.median(case, connections, name, "requests_per_second")
            if rate is not None:
                cells.append(f"{name} {number(rate)}/s"
                             + (" (!)" if summary.marks(case, connections, name) else ""))
        cells += [f"ours/{name} {times(summary.ratio(case, connections, name))}"
                  for name in others if summary.ratio(case, connections, name)]
        lines.append(f"{case:10} c={connections:<3} " + "  ".join(cells))
    for name, row in memory.medians(results["memory"]).items():
        lines.append(f"{name}: {row['rss_kib'] * 1024 / 1e6:.1f} MB at rest, "
                     f"first answer after {row['first_answer_ms']:.0f} ms")
    return "\n".join(lines)


def table(head, rows, numbers_from=None):
    """Lines of a Markdown table; columns from `numbers_from` on are aligned to the right."""
    right = len(head) if numbers_from is None else numbers_from
    rule = ["---" if column < right else "---:" for column in range(len(head))]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *rows)] + [""]


def number(value):
    """Three significant digits are more than a noisy machine can tell; whole numbers from 100 on."""
    if value is None:
        return "–"
    if value >= 99.95:
        return f"{value:,.0f}"
    if value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def times(value):
    return "–" if value is None else f"{number(value)}×"


if __name__ == "__main__":
    main()
