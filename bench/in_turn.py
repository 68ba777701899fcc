"""Rounds of a measurement that go through every server in turn, so that a noisy moment hits all of
them, and their medians."""
import json
import statistics
import sys


class Wrong(Exception):
    """A server did not do what it has to, or a run says nothing; the message says why."""


def tell_medians(rates):
    """Prints a line of JSON for each of `rates`: what was measured, and its rate in each round."""
    for what, found in rates.items():
        print(json.dumps({**dict(what), "rounds": len(found),
                          "median_per_second": round(statistics.median(found)),
                          "per_second": [round(rate) for rate in found]}))


def run(main, name):
    """Runs a script; what goes wrong is told in one line."""
    try:
        main()
    except (Wrong, OSError) as reason:
        sys.exit(f"{name}: {reason}")
