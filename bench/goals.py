"""What the project means to reach, each judged by the numbers of a results file."""
import statistics
from typing import NamedTuple

import mix
from summary import Summary, quotient


class Goal(NamedTuple):
    text: str
    measured: float | None
    """None where the file has not what it takes."""
    limit: float
    at_least: bool
    unit: str = "×"

    @property
    def reached(self):
        if self.measured is None:
            return None
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def goals(results):
    summary = Summary(results)

    def cpu(case, connections, name):
        return summary.median(case, connections, name, "cpu_us_per_request")

    found = []
    for c in (16, 64):
        at = f"`hello`, {c} connections"
        found += [
            Goal(f"{at}: of the ceiling's rate", summary.ratio("hello", c, "ceiling"), 0.5, True),
            Goal(f"{at}: of granian's rate, 1 worker", summary.ratio("hello", c, "granian"), 1.8, True),
            Goal(f"{at}: CPU per request", cpu("hello", c, "ours"), 20, False, " µs"),
            Goal(f"{at}: of granian's CPU per request",
                 quotient(cpu("hello", c, "ours"), cpu("hello", c, "granian")), 0.5, False),
            Goal(f"{at}: 2 processes, of granian's rate with 2 workers",
                 quotient(summary.rate("hello", c, "ours-2"), summary.rate("hello", c, "granian-2")),
                 1.0, True),
            Goal(f"{at}: 2 processes, of granian's CPU with 2 workers",
                 quotient(cpu("hello", c, "ours-2"), cpu("hello", c, "granian-2")), 2 / 3, False),
        ]
    p50 = summary.median("hello", 1, "ours", "p50_us")
    found += [
        Goal("`hello`, 16 connections: of the reference's rate",
             summary.ratio("hello", 16, "reference"), 100, True),
        Goal("`hello`, 1 connection: p50", None if p50 is None else p50 / 1000, 0.15, False, " ms"),
        *(Goal(f"`{case}`, 16 connections: of the reference's rate",
               summary.ratio(case, 16, "reference"), limit, True)
          for case, limit in (("medium", 20), ("stash", 25), ("form", 20), ("multipart", 20))),
        *(Goal(f"`{case}`, {c} connections: of the reference's rate",
               summary.ratio(case, c, "reference"), limit, True)
          for case, limit in (("static_1k", 60), ("static_1m", 6), ("template", 50))
          for c in (16, 64)),
        *(Goal(f"`{case}`, {c} connections: of nginx's rate", summary.ratio(case, c, "nginx"), 1.0, True)
          for case in ("static_1k", "static_1m", "https_static_1m") for c in (16, 64)),
        *(Goal(f"`https_hello`, {c} connections: of `hello`'s rate",
               quotient(summary.rate("https_hello", c, "ours"), summary.rate("hello", c, "ours")),
               0.8, True) for c in (16, 64)),
        Goal("`h2_streams`: of the reference's rate", summary.ratio("h2_streams", 1, "reference"),
             30, True),
        Goal("`h2_streams`: of the rate of `hello` on 64 connections",
             quotient(summary.rate("h2_streams", 1, "ours"), summary.rate("hello", 64, "ours")),
             0.8, True),
        Goal("`websocket_many`: of the reference's rate",
             summary.ratio("websocket_many", 100, "reference"), 20, True),
    ]
    if asleep := results.get("sleepers"):
        kept = statistics.median(r["rate_beside"] / r["rate_alone"] for r in asleep["rounds"])
        found += [
            Goal(f"{asleep['count']:,} handlers asleep: peak memory",
                 max(r["peak_rss_mb"] for r in asleep["rounds"]), 250, False, " MB"),
            Goal(f"{asleep['count']:,} handlers asleep: of `hello`'s rate without them", kept, 0.8, True),
        ]
    if mixed := results.get("mix"):
        table = mix.medians(mixed)
        found.append(Goal("the mix of real tests: of the rate of `./wpt serve`", quotient(
            *(table[name]["requests_per_second"] for name in ("ours", "wpt-serve"))), 15, True))
    return found
