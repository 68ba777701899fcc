"""Turns a results file of run.py into docs/performance.md and the charts in docs/performance/.

    python bench/report.py                       bench/results/latest.json → docs/
    python bench/report.py FILE --out DIR        another file, to another folder
    python bench/report.py --check               whether docs/ is what the file makes

Every number on the page comes from the results file, and from the long_life.json beside it where
there is one; the prose here says only how they were taken.
"""
import argparse
import json
import sys
from pathlib import Path

import long_life
import memory
import mix
from cases import CASES
from charts import GROUPS, charts
from goals import goals
from installing import BENCH, PROJECT
from summary import Summary, number, times

LATEST = BENCH / "results" / "latest.json"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="?", type=Path, default=LATEST)
    parser.add_argument("--out", type=Path, default=PROJECT / "docs",
                        help="the folder for the page (default: %(default)s)")
    parser.add_argument("--check", action="store_true",
                        help="write nothing; exit with 1 where the folder has something else")
    options = parser.parse_args()
    results = load(options.results)
    if not options.check:
        write(results, options.out)
        return
    stale = differing(results, options.out)
    if stale:
        sys.exit(f"not what {options.results.name} makes: {', '.join(stale)}; "
                 "run `python3 bench/report.py`")


def load(path):
    results = json.loads(path.read_text())
    beside = path.with_name(long_life.RESULTS.name)
    if beside.is_file():
        results["long_life"] = json.loads(beside.read_text())
    return results


def write(results, folder=PROJECT / "docs"):
    made = files(results)
    for name in stray(made, folder):
        (folder / name).unlink()
    for name, content in made.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def differing(results, folder):
    """The names of the files that are missing, changed or too many."""
    made = files(results)
    changed = [name for name, content in made.items()
               if not (folder / name).is_file() or (folder / name).read_text() != content]
    return changed + stray(made, folder)


def stray(made, folder):
    """Charts of an earlier page."""
    there = (f"performance/{path.name}" for path in (folder / "performance").glob("*.svg"))
    return sorted(name for name in there if name not in made)


def files(results):
    """{path in the folder: content} of the page and its charts."""
    summary = Summary(results)
    drawn = charts(results, summary)
    return {"performance.md": as_page(results, summary, drawn),
            **{f"performance/{name}": svg for name, svg in drawn.items()}}


def as_page(results, summary, drawn):
    lines = ["# Performance", "",
             "Written by `bench/report.py` from a results file; change the bench, not this page.", "",
             *measured_on(results), *aims(results)]
    if not results["runs"]:
        lines += ["No runs in this file.", ""]
    for name, (title, cases) in GROUPS.items():
        there = [case for case in cases if case in summary.cases]
        if there:
            lines += [f"## {title}", "", *picture(f"{name}-rate.svg", drawn),
                      *picture(f"{name}-cpu.svg", drawn)]
            if "hello" in there:
                lines += picture("connections.svg", drawn)
            for case in there:
                lines += case_table(results, summary, case)
    lines += real_mix(results) + asleep(results) + lasting(results, drawn)
    lines += peaks(results, summary) + rest(results) + noise(results, summary) + repeat(results)
    return "\n".join(lines).rstrip() + "\n"


def measured_on(results):
    load, machine = results["load"], results["machine"]
    tools = ", ".join(dict.fromkeys(load["tools"].values()))
    lines = [
        f"Measured {results['date']} on {machine['cores']} core(s) of {machine['cpu']}, "
        f"{machine['memory_mib'] / 1024:.0f} GiB, {machine['system']} {machine['kernel']}, Python "
        f"{machine['python']}. The load ({tools}; one thread, two for answers of 1 MiB, connections "
        "kept open where the server allows it) ran on the same machine, over loopback. Each number is "
        "the median of "
        f"{load['rounds']} round(s) of {load['seconds_per_run']} s; all servers run at once and take "
        "turns within a round. Single rounds differ: trust the ratios and the CPU time more than the "
        "rates.", ""]
    lines += table(["server", "version"], [[row["title"], row["version"]]
                                           for row in results["servers"].values()])
    lines += [f"- Not measured: {name} ({reason})." for name, reason in results["skipped"].items()]
    return lines + [""] * bool(results["skipped"])


def aims(results):
    rows = [[goal.text, f"{'≥' if goal.at_least else '≤'} {number(goal.limit)}{goal.unit}",
             f"{number(goal.measured)}{goal.unit}", "yes" if goal.reached else "**no**"]
            for goal in goals(results) if goal.reached is not None]
    if not rows:
        return []
    return ["## Aims", "", "What the project means to reach; a × is a part or a multiple of what the "
            "line names.", "", *table(["aim", "needed", "measured", "reached"], rows, numbers_from=1)]


def picture(name, drawn):
    return [f"![{name.removesuffix('.svg')}](performance/{name})", ""] if name in drawn else []


def case_table(results, summary, case):
    rows, notes = [], []
    for connections in summary.connections_of(case):
        for name in summary.servers_of(case):
            rate = summary.rate(case, connections, name)
            if rate is None:
                continue
            marks = summary.marks(case, connections, name)
            notes += [f"- (!) {name}, {connections} connections, {mark}" for mark in marks]
            p50, p99, cpu = (summary.median(case, connections, name, quantity)
                             for quantity in ("p50_us", "p99_us", "cpu_us_per_request"))
            ratio = summary.ratio(case, connections, name) if name != "ours" else None
            rows.append([str(connections), results["servers"][name]["short_title"],
                         number(rate) + (" (!)" if marks else ""), times(ratio),
                         number(p50 / 1000), number(p99 / 1000), number(cpu),
                         number(summary.failed_percent(case, connections, name))])
    lines = [f"### `{case}`: {CASES[case].text}", "",
             *table(["connections", "server", "requests/s", "ours / it", "p50 ms", "p99 ms",
                     "CPU µs/request", "failed %"], rows, numbers_from=2)]
    closing = [name for name in summary.servers_of(case)
               if any(run["tool"] == "closing_load.py" for key, runs in summary.cells.items()
                      if key[0] == case and key[2] == name for run in runs)]
    if closing:
        lines += [f"The answers of {', '.join(closing)} end with their connection, so `bench/"
                  "closing_load.py` asked for them: wrk opens two connections for each of those.", ""]
    if notes:
        lines += ["Runs marked (!) had errors, so their numbers do not count:", "", *notes, ""]
    return lines


def real_mix(results):
    mixed = results.get("mix")
    if not mixed:
        return []
    rows = [[name, number(row["requests_per_second"]), number(row["cpu_us_per_request"]),
             number(row["peak_rss_kib"] * 1024 / 1e6), number(100 * row["failed"] / row["requests"])]
            for name, row in mix.medians(mixed).items()]
    dated = f" of {mixed['checkout']}" if mixed["checkout"] else ""
    left_out = ", ".join(f"{count} {what}" for what, count in mixed["left_out"].items())
    return [
        "## A mix of real tests", "",
        f"{mixed['tests']} tests of a web-platform-tests checkout{dated}, with the scripts, "
        f"styles, images, frames and handlers that their sources name: {mixed['urls']:,} requests "
        f"for {mixed['different_urls']:,} URLs, {mixed['handlers']} of them to Python handlers. "
        f"{mixed['clients']} clients replay them, each on one kept-alive connection, against "
        f"`wptserve wpt` and the checkout's `./wpt serve` ({mixed['version']}) in turn. URLs that one "
        f"of the two does not answer with 2xx, or not at once as the test wants it, are left out "
        f"({left_out}). The client (`bench/replay.py`) takes a part of the machine, so the faster "
        "server's rate is a lower bound.", "",
        *table(["server", "requests/s", "CPU µs/request", "peak memory in MB", "failed %"], rows,
               numbers_from=1)]


def asleep(results):
    found = results.get("sleepers")
    if not found:
        return []
    rows = [[str(number_), number(row["rate_alone"]), number(row["rate_beside"]),
             number(row["peak_rss_mb"]), number(row["threads"]), str(len(row["wrong"]))]
            for number_, row in enumerate(found["rounds"], 1)]
    return [f"## {found['count']:,} handlers asleep", "",
            f"The rate of `hello` at {found['connections']} connections, alone and while "
            f"{found['count']:,} handlers sleep in as many threads.", "",
            *table(["round", "requests/s alone", "beside sleepers", "peak memory in MB", "threads",
                    "wrong answers"], rows, numbers_from=0)]


def lasting(results, drawn):
    found = results.get("long_life")
    if not found:
        return []
    samples = found["samples"]
    wrong = len(long_life.wrong(found))
    rows = [[f"`{name}`", number(verdict["first"]), number(verdict["median"]), number(verdict["last"]),
             f"{verdict['growth_per_hour']:+,.1f}", f"{verdict['limit_per_hour']:,}",
             "flat" if verdict["flat"] else "**growing**"]
            for name, verdict in found["verdicts"].items()]
    return ["## Long life", "",
            f"{sum(sampled['requests'] for sampled in samples):,} requests in "
            f"{samples[-1]['minute']:.0f} minutes ({found['version']}, {found['date']}): handlers, "
            "the stash, files, templates, pipes, forms, uploads, TLS, WebSockets, requests given up "
            f"halfway and malformed ones; {wrong} answers were wrong. Sampled at the end of each "
            "minute, with all connections closed; growth is the median slope (Theil-Sen) of the second "
            "half.", "", *picture("long-life.svg", drawn),
            *table(["quantity", "first", "median", "last", "growth in an hour", "limit", "verdict"],
                   rows, numbers_from=1)]


def peaks(results, summary):
    rows = []
    for name in summary.servers:
        values = {key[0]: max(run["peak_rss_kib"] for run in runs) for key, runs in
                  summary.cells.items() if key[2] == name}
        most = max(values, key=values.get)
        rows.append([results["servers"][name]["title"], number(values[most] * 1024 / 1e6), f"`{most}`"])
    if not rows:
        return []
    return ["## Highest memory under load in MB", "",
            "The greatest resident set of the process tree in any run "
            "(pages shared between processes count for each), and its case.", "",
            *table(["server", "MB", "in"], rows, numbers_from=1)]


def rest(results):
    if not results["memory"]:
        return []
    servers = results["servers"]
    starts = {name: sum(start["server"] == name for start in results["memory"]) for name in servers}
    rows = [[servers[name]["title"], str(starts[name]), number(row["rss_kib"] * 1024 / 1e6),
             number(row["processes"]), number(row["threads"]), number(row["listening_ms"]),
             number(row["first_answer_ms"])]
            for name, row in memory.medians(results["memory"]).items()]
    return ["## At rest", "",
            "After one request to a handler; times count from the spawn. Medians.", "",
            *table(["server", "starts", "resident memory in MB", "processes", "threads",
                    "listening after ms", "first answer after ms"], rows, numbers_from=1)]


def noise(results, summary):
    rows = []
    for name in summary.servers:
        spreads = [spread for case, connections in summary.rows
                   if (spread := summary.spread(case, connections, name, "requests_per_second"))]
        if spreads:
            rows.append([results["servers"][name]["short_title"],
                         f"{(min(low for low, _ in spreads) - 1) * 100:+.0f} %",
                         f"{(max(high for _, high in spreads) - 1) * 100:+.0f} %"])
    if not rows:
        return []
    return ["## Noise", "",
            "How far single rounds were from their median rate, over all cases:", "",
            *table(["server", "lowest", "highest"], rows, numbers_from=1)]


def repeat(results):
    lines = ["## How to repeat", "",
             "    cargo xtask bench" + (" --wpt-root WPT --wpt-python PYTHON" * ("mix" in results))]
    if "long_life" in results:
        lines += ["    python3 bench/long_life.py && python3 bench/report.py"]
    return [*lines, "",
            "The first builds the server, installs what it is compared with (under `.cache/bench`; "
            "programs of the system with apt, as root), measures, and writes this page. "
            "`bench/README.md` has the options."]


def table(head, rows, numbers_from=None):
    """Lines of a Markdown table; columns from `numbers_from` on are aligned to the right."""
    right = len(head) if numbers_from is None else numbers_from
    rule = ["---" if column < right else "---:" for column in range(len(head))]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *rows)] + [""]


if __name__ == "__main__":
    main()
