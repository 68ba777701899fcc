"""What is made of measurements: medians, ratios, verdicts, pages and charts.

    python -m unittest discover bench/tests
"""
import copy
import json
import sys
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import goals
import loads
import plot
import report
import trend
from summary import Summary, number


def results(**more):
    def run(round_, server, rate, marks=(), connections=16, failed=0):
        return {"round": round_, "case": "hello", "connections": connections, "server": server,
                "tool": "wrk", "requests_per_second": rate, "p50_us": 100, "p99_us": 200,
                "cpu_us_per_request": 10, "peak_rss_kib": 1000, "failed_percent": failed,
                "marks": list(marks)}

    return copy.deepcopy({
        "date": "2000-01-01T00:00:00+00:00",
        "machine": {"cpu": "CPU", "cores": 2, "memory_mib": 2048, "system": "Linux", "kernel": "6",
                    "python": "3"},
        "load": {"tools": {"wrk": "wrk 4"}, "rounds": 3, "seconds_per_run": 1},
        "servers": {"ours": {"title": "ours", "short_title": "ours", "version": "1"},
                    "reference": {"title": "reference", "short_title": "reference", "version": "2"}},
        "skipped": {"granian": "no network"},
        "runs": [run(1, "ours", 300), run(2, "ours", 100), run(3, "ours", 900),
                 run(1, "reference", 10), run(2, "reference", 20, ["4 timeout errors"], failed=25),
                 run(3, "reference", 5), run(1, "ours", 50, connections=1)],
        "memory": [], **more,
    })


class Medians(unittest.TestCase):
    def test_ratios_are_those_of_the_medians(self):
        summary = Summary(results())
        self.assertEqual(summary.rate("hello", 16, "ours"), 300)
        self.assertEqual(summary.ratio("hello", 16, "reference"), 30)
        self.assertEqual(summary.failed_percent("hello", 16, "reference"), 25)

    def test_what_was_not_measured_has_none(self):
        summary = Summary(results())
        self.assertIsNone(summary.rate("hello", 64, "ours"))
        self.assertIsNone(summary.ratio("hello", 1, "reference"))
        self.assertIsNone(summary.spread("hello", 64, "ours", "requests_per_second"))

    def test_a_number_has_three_digits(self):
        self.assertEqual([number(value) for value in (None, 0, 0.1234, 9.999, 12.34, 99.96, 12345.6)],
                         ["–", "0", "0.12", "10.0", "12.3", "100", "12,346"])


class Trend(unittest.TestCase):
    def test_the_slope_of_a_line_is_its_slope(self):
        self.assertAlmostEqual(trend.slope([(x, 3 * x + 1) for x in range(10)]), 3)
        self.assertEqual(trend.slope([(1, 5)]), 0)

    def test_wild_samples_do_not_turn_it(self):
        samples = [(x, 100 if x % 5 else 10_000) for x in range(40)]
        self.assertEqual(trend.slope(samples), 0)

    def test_growth_at_first_is_no_leak_and_steady_growth_is(self):
        levelled = [(minute, min(minute, 20) * 1000) for minute in range(60)]
        steady = [(minute, minute * 10) for minute in range(60)]
        verdicts = trend.judge({"levelled": levelled, "steady": steady},
                               {"levelled": 100, "steady": 100}, hour=60)
        self.assertTrue(verdicts["levelled"]["flat"])
        self.assertFalse(verdicts["steady"]["flat"])
        self.assertAlmostEqual(verdicts["steady"]["growth_per_hour"], 600)

    def test_shrinking_is_flat(self):
        verdicts = trend.judge({"a": [(x, -x) for x in range(9)]}, {"a": 0}, hour=1)
        self.assertTrue(verdicts["a"]["flat"])


class Loads(unittest.TestCase):
    OUTPUT = ("requests: 12 total, 14 started, 10 done, 9 succeeded, 3 failed, 2 errored, 1 timeout\n"
              "status codes: 9 2xx, 0 3xx, 1 4xx, 0 5xx\n"
              "traffic: 1.2KB (1234) total, 10B (10) headers (space savings 90%), 5B (5) data\n")

    def test_h2load(self):
        log = "".join(f"1\t200\t{time}\n" for time in (30, 10, 20))
        found = loads.h2load_answer(self.OUTPUT, log, 2)
        self.assertEqual((found["requests"], found["bytes"], found["p50_us"], found["max_us"]),
                         (8, 1234, 20, 30))
        self.assertEqual(found["errors"],
                         {"connect": 0, "read": 1, "write": 0, "timeout": 1, "status": 1})

    def test_a_tool_that_says_nothing_failed(self):
        self.assertIsNone(loads.h2load_answer("", "", 1))
        self.assertIsNone(loads.json_line("cannot connect"))

    def test_percentiles(self):
        self.assertEqual(loads.at(list(range(100)), 0.99), 99)
        self.assertEqual(loads.at([7], 0.5), 7)
        self.assertEqual(loads.at([], 0.5), 0)


class Charts(unittest.TestCase):
    def test_bars_begin_at_zero_and_are_in_proportion(self):
        svg = ElementTree.fromstring(plot.bars("a < b", [plot.Panel("p", [
            ("one", 100, "#000"), ("two", 50, "#111"), ("none", 0, "#222")])], "req/s"))
        widths = {bar.get("fill"): float(bar.get("width")) for bar in rectangles(svg)
                  if bar.get("width") != "100%"}
        self.assertAlmostEqual(widths["#000"], 2 * widths["#111"], delta=0.2)
        self.assertEqual(widths["#222"], 0)
        self.assertIn("req/s", texts(svg))
        self.assertIn("a < b", texts(svg))

    def test_a_logarithmic_axis_says_so(self):
        svg = ElementTree.fromstring(plot.lines(
            "t", [plot.Series("s", [(1, 10), (100, 1000)], "#000")], "x", "y", log_y=True))
        self.assertIn("y (logarithmic)", texts(svg))
        self.assertIn("x", texts(svg))

    def test_ticks_are_round_and_reach_the_highest(self):
        self.assertEqual(plot.linear_ticks(53_913), [0, 20_000, 40_000, 60_000])
        self.assertEqual(plot.linear_ticks(0), [0, 1])
        self.assertEqual(plot.linear_ticks(1), [0, 0.2, 0.4, 0.6, 0.8, 1.0])
        self.assertEqual(plot.log_ticks(23, 1_367), [10, 100, 1_000, 10_000])
        self.assertEqual(plot.log_ticks(10, 10), [10, 100])


class Page(unittest.TestCase):
    def test_ratios_and_marks_are_told(self):
        page = report.files(results())["performance.md"]
        self.assertIn("| 16 | reference | 10 (!) | 30× | 0.10 | 0.20 | 10 | 25 |", page)
        self.assertIn("- (!) reference, 16 connections, round 2: 4 timeout errors", page)
        self.assertIn("- Not measured: granian (no network).", page)
        self.assertIn("![handlers-rate](performance/handlers-rate.svg)", page)

    def test_each_picture_of_the_page_is_made(self):
        made = report.files(results(long_life=long_life()))
        for name in made:
            if name != "performance.md":
                ElementTree.fromstring(made[name])
                self.assertIn(f"({name})", made["performance.md"])

    def test_a_server_without_ours_beside_it_has_no_ratio(self):
        data = results()
        data["runs"] = [run for run in data["runs"] if run["server"] == "reference"]
        self.assertIn("| 16 | reference | 10 (!) | – |", report.files(data)["performance.md"])

    def test_no_runs(self):
        self.assertIn("No runs in this file.", report.files(results(runs=[]))["performance.md"])

    def test_long_life(self):
        page = report.files(results(long_life=long_life()))["performance.md"]
        self.assertIn("| `rss_kib` | 100 | 100 | 100 | +0.0 | 2,048 | flat |", page)
        self.assertIn("10 requests in 2 minutes", page)

    def test_a_stale_or_stray_file_is_found(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            report.write(results(), folder)
            self.assertEqual(report.differing(results(), folder), [])
            (folder / "performance" / "old.svg").write_text("")
            self.assertEqual(report.differing(results(), folder), ["performance/old.svg"])
            self.assertIn("performance.md", report.differing(results(date="2001"), folder))
            report.write(results(), folder)
            self.assertEqual(report.differing(results(), folder), [])


class Goals(unittest.TestCase):
    def test_what_was_measured_is_judged_and_the_rest_is_not(self):
        found = {goal.text: goal for goal in goals.goals(results())}
        reference = found["`hello`, 16 connections: of the reference's rate"]
        self.assertEqual((reference.measured, reference.reached), (30, False))
        self.assertTrue(found["`hello`, 1 connection: p50"].reached)
        self.assertIsNone(found["`hello`, 16 connections: of the ceiling's rate"].reached)

    def test_sleepers_and_mix(self):
        asleep = {"count": 2000, "connections": 16, "rounds": [
            {"rate_alone": 100, "rate_beside": kept, "peak_rss_mb": 99, "threads": 2005, "wrong": []}
            for kept in (70, 90, 85)]}
        runs = [{"round": 1, "server": name, "seconds": 1, "requests": rate, "bytes": 1, "failed": 0,
                 "requests_per_second": rate, "cpu_us_per_request": 1, "peak_rss_kib": 1}
                for name, rate in (("ours", 200), ("wpt-serve", 10))]
        mixed = {"tests": 200, "clients": 8, "urls": 9, "different_urls": 8, "handlers": 1,
                 "left_out": {"not 2xx": 1}, "checkout": None, "version": "Python 3", "runs": runs}
        data = results(sleepers=asleep, mix=mixed)
        found = {goal.text: goal.measured for goal in goals.goals(data)}
        self.assertEqual(found["2,000 handlers asleep: of `hello`'s rate without them"], 0.85)
        self.assertEqual(found["the mix of real tests: of the rate of `./wpt serve`"], 20)
        page = report.files(data)["performance.md"]
        self.assertIn("## A mix of real tests", page)
        self.assertIn("## 2,000 handlers asleep", page)


def long_life():
    samples = [{"minute": minute, "requests": 5, "wrong": [], "rss_kib": 100, "pss_kib": 90}
               for minute in (1, 2)]
    verdicts = trend.judge({"rss_kib": [(s["minute"], s["rss_kib"]) for s in samples]},
                           {"rss_kib": 2048}, hour=60)
    return json.loads(json.dumps({"version": "1", "date": "2000", "samples": samples,
                                  "verdicts": verdicts}))


def rectangles(svg):
    return [element for element in svg.iter() if element.tag.endswith("}rect")]


def texts(svg):
    return [element.text for element in svg.iter() if element.tag.endswith("}text")]


if __name__ == "__main__":
    unittest.main()
