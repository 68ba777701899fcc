"""A mix of real tests: their pages and resources, asked from ours and from `./wpt serve`.

    python bench/mix.py --wpt-root WPT --wpt-python python3.9 --rounds 5

Takes 200 tests of a web-platform-tests checkout with what they load (mix_urls.py), keeps the URLs
that both servers answer with 2xx and at once, and replays them by 8 clients on kept-alive
connections (replay.py), the servers in turn. `run.py --wpt-root` does the same at its end.
"""
import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

import processes
import replay
import running
import servers
from mix_urls import tests
from running import Unavailable

TESTS = 200
CLIENTS = 8
# An answer that takes longer was made to: it would measure the test's own wait.
AT_ONCE_SECONDS = 0.3
# A pass of ours is short, so several make a round.
ROUND_SECONDS = 3


def measure(options, ours):
    """The section `mix` of a results file; `ours` is a server of servers.py that is prepared."""
    root = Path(options.wpt_root).resolve()
    with start_ours(ours, root) as our_server, start_theirs(options, root) as their_server:
        both = {"ours": our_server, "wpt-serve": their_server}
        chosen = tests(root, TESTS)
        pages, left_out = answered_by_both(chosen, both)
        results = {
            "tests": len(chosen), "clients": CLIENTS,
            "urls": sum(map(len, pages)), "different_urls": len({u for page in pages for u in page}),
            "handlers": sum(".py" in url.split("?")[0] for page in pages for url in page),
            "left_out": left_out, "checkout": checkout(root),
            "version": servers.command_output([str(options.wpt_python), "--version"]), "runs": [],
        }
        for number in range(1, options.mix_rounds + 1):
            for name, server in both.items():
                run = {"round": number, "server": name, **one_round(server, pages)}
                results["runs"].append(run)
                print(f"mix, round {number}: {name:10} {run['requests_per_second']:10.0f}/s  "
                      f"{run['failed']} failed", file=sys.stderr, flush=True)
    return results


def start_ours(ours, root):
    directory = running.work_directory()
    configuration = directory / "configuration.json"
    configuration.write_text(json.dumps({"ports": {
        scheme: ["auto"] for scheme in ("http", "https", "ws", "wss", "h2")}}))
    return running.start_with_ready_file(
        [str(ours.binary), "wpt", str(root), "--config", str(configuration),
         "--python", ours.python, *ours.arguments], directory)


def start_theirs(options, root):
    """`./wpt serve` of the checkout, under a Python that it runs on."""
    return running.start_with_ready_file(
        [str(options.wpt_python), str(servers.PROJECT / "conformance" / "wpt_serve.py"),
         "--wpt-root", str(root), "--log-level", "critical"])


def answered_by_both(chosen, both):
    """The pages without the URLs that one of the servers does not answer well or at once, and how
    many those are."""
    different = list(dict.fromkeys(url for page in chosen for url in page))
    bad = {}
    for name, server in both.items():
        # Twice: what is loaded or compiled at first is no wait of the test's.
        for _ in range(2):
            seen = replay.replay((running.HOST, server.port),
                                 [different[number::CLIENTS] for number in range(CLIENTS)])
        failed = {url for url, _ in seen["failed"]}
        slow = {url for url, seconds in seen["times"].items() if seconds > AT_ONCE_SECONDS} - failed
        bad[name] = failed, slow
    failed, slow = (set().union(*kinds) for kinds in zip(*bad.values()))
    pages = [[url for url in page if url not in failed | slow] for page in chosen]
    return [page for page in pages if page], {"not 2xx": len(failed), "not at once": len(slow - failed)}


def one_round(server, pages):
    processes.reset_peak_rss(server.pid)
    cpu = processes.cpu_seconds(server.pid)
    seconds = requests = size = failed = 0
    while seconds < ROUND_SECONDS:
        seen = replay.replay((running.HOST, server.port), replay.dealt(pages, CLIENTS))
        seconds += seen["seconds"]
        requests += seen["requests"]
        size += seen["bytes"]
        failed += sum(seen["failed"].values())
    return {"seconds": seconds, "requests": requests, "bytes": size, "failed": failed,
            "requests_per_second": requests / seconds,
            "cpu_us_per_request": (processes.cpu_seconds(server.pid) - cpu) * 1e6 / requests,
            "peak_rss_kib": processes.peak_rss_kib(server.pid)}


def medians(results):
    """{server: {quantity: median}} of a section `mix`."""
    table = {}
    for name in ("ours", "wpt-serve"):
        runs = [run for run in results["runs"] if run["server"] == name]
        table[name] = {quantity: statistics.median(run[quantity] for run in runs)
                       for quantity in runs[0] if quantity not in ("round", "server")}
    return table


def checkout(root):
    """When the checkout's last commit was, where git can tell."""
    found = subprocess.run(["git", "-C", str(root), "log", "-1", "--format=%cs"],
                           capture_output=True, text=True)
    return found.stdout.strip() or None


def add_options(parser):
    parser.add_argument("--wpt-root", metavar="DIR", help="a web-platform-tests checkout, for the mix")
    parser.add_argument("--wpt-python", metavar="PATH", default=sys.executable,
                        help="the Python for its `./wpt serve`; old checkouts need an old one "
                        "(default: %(default)s)")
    parser.add_argument("--mix-rounds", type=int, default=5, metavar="N", help="default: 5")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="a file for the numbers")
    add_options(parser)
    servers.add_server_options(parser)
    options = parser.parse_args()
    if options.wpt_root is None:
        parser.error("--wpt-root is needed")
    ready, missing = servers.prepared(["ours"], options)
    if missing:
        sys.exit(1)
    results = measure(options, ready["ours"])
    if options.out:
        options.out.write_text(json.dumps({"mix": results}, indent=1) + "\n")
    table = medians(results)
    print(f"{results['tests']} tests, {results['urls']} URLs; left out: {results['left_out']}")
    for name, row in table.items():
        print(f"{name:10} {row['requests_per_second']:,.0f}/s, "
              f"{row['cpu_us_per_request']:.0f} us of CPU, {row['failed']:.0f} failed")
    ratio = table["ours"]["requests_per_second"] / table["wpt-serve"]["requests_per_second"]
    print(f"ours is {ratio:.1f} times as fast")


if __name__ == "__main__":
    try:
        main()
    except Unavailable as reason:
        sys.exit(str(reason))
