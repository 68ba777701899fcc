"""The medians of a results file of run.py, and what is said of them at a run's end."""
import statistics

import memory

COMPARED_WITH = ("reference", "reference-nodelay", "granian", "granian-2", "uwsgi", "nginx", "ceiling")


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

    def servers_of(self, case):
        return [name for name in self.servers
                if any(key[0] == case and key[2] == name for key in self.cells)]

    def connections_of(self, case):
        return [connections for name, connections in self.rows if name == case]

    def median(self, case, connections, server, quantity):
        values = [run[quantity] for run in self.cells.get((case, connections, server), ())
                  if run[quantity] is not None]
        return statistics.median(values) if values else None

    def rate(self, case, connections, server):
        return self.median(case, connections, server, "requests_per_second")

    def spread(self, case, connections, server, quantity):
        """Lowest and highest value as parts of the median, for the noise of a run."""
        values = [run[quantity] for run in self.cells.get((case, connections, server), ())]
        middle = statistics.median(values) if values else 0
        return (min(values) / middle, max(values) / middle) if middle else None

    def ratio(self, case, connections, other):
        return quotient(self.rate(case, connections, "ours"), self.rate(case, connections, other))

    def marks(self, case, connections, server):
        return [f"round {run['round']}: {', '.join(run['marks'])}"
                for run in self.cells.get((case, connections, server), ()) if run["marks"]]

    def failed_percent(self, case, connections, server):
        """The highest of the rounds."""
        return max((run["failed_percent"] for run in self.cells.get((case, connections, server), ())),
                   default=0)

    def compared_with(self, case):
        there = self.servers_of(case)
        return [name for name in COMPARED_WITH if name in there] if "ours" in there else []


def quotient(above, below):
    return above / below if above is not None and below else None


def as_text(results):
    """The rates and ratios for a terminal, at the end of a run."""
    summary = Summary(results)
    lines = []
    for case, connections in summary.rows:
        cells = []
        for name in summary.servers:
            rate = summary.rate(case, connections, name)
            if rate is not None:
                cells.append(f"{name} {number(rate)}/s"
                             + (" (!)" if summary.marks(case, connections, name) else ""))
        cells += [f"ours/{name} {times(summary.ratio(case, connections, name))}"
                  for name in summary.compared_with(case) if summary.ratio(case, connections, name)]
        lines.append(f"{case:16} c={connections:<3} " + "  ".join(cells))
    for name, row in memory.medians(results["memory"]).items():
        lines.append(f"{name}: {row['rss_kib'] * 1024 / 1e6:.1f} MB at rest, "
                     f"first answer after {row['first_answer_ms']:.0f} ms")
    return "\n".join(lines)


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
