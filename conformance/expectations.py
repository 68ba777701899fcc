"""The intended differences between ours and the reference, and whether they still exist."""

import dataclasses
import fnmatch
import pathlib
from collections.abc import Iterable

from compare import Difference
from wire import Outcome

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10; pytest brings tomli there
    import tomli as tomllib

_KEYS = {"case", "reason", "ignore", "ours"}
_OURS_KEYS = {"status", "headers", "header", "body", "closed"}
_NAMES = {
    "responses", "status", "body", "closed", "header-order", "announced-close",
    "framing", "exception-text",
}
# What may differ once our side of it is spelt out.
_IMPLIED = {
    "status": ["status"],
    "headers": ["header:*", "header-order", "announced-close", "framing"],
    "header": [],
    "body": ["body", "header:Content-Length"],
    # A connection that ends elsewhere also brings another number of responses.
    "closed": ["closed", "responses"],
}


@dataclasses.dataclass
class Expectation:
    """One table of expectations.toml."""

    cases: list[str]
    reason: str
    ignore: list[str]
    ours: list[dict]
    # What each case it covers was seen to differ in.
    seen: dict[str, set[str]] = dataclasses.field(default_factory=dict)

    def covers(self, id: str) -> bool:
        """Whether the entry speaks of this case."""
        return any(fnmatch.fnmatchcase(id, pattern) for pattern in self.cases)

    def is_general(self) -> bool:
        """Whether a pattern, not each of a list of cases, must be found to differ."""
        return any(set(pattern) & set("*?[") for pattern in self.cases)

    def allows(self, difference: Difference) -> bool:
        """Whether this difference is the intended one."""
        return any(
            fnmatch.fnmatchcase(difference.name.lower(), name.lower()) for name in self.names()
        )

    def names(self) -> list[str]:
        """The names of all the differences that the entry intends."""
        if not self.ours:
            return self.ignore
        given = set().union(*self.ours)
        implied = [name for key in sorted(given) for name in _IMPLIED[key]]
        named = [f"header:{name}" for response in self.ours for name in response.get("header", {})]
        return [*self.ignore, *implied, *named]


class Expectations:
    """All intended differences; remembers which of them were met."""

    def __init__(self, entries: Iterable[Expectation] = ()):
        self.entries = list(entries)
        self.unexplained: dict[str, list[Difference]] = {}

    @classmethod
    def load(cls, path: pathlib.Path) -> "Expectations":
        """Read the file; an entry that says nothing or something unknown is an error."""
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("difference", [])
        return cls(_entry(table) for table in tables)

    def judge(self, id: str, found: list[Difference], ours: Outcome) -> list[str]:
        """What is wrong with this case: differences nobody intended, and stale entries."""
        covering = [entry for entry in self.entries if entry.covers(id)]
        wrong = []
        for difference in found:
            allowing = [entry for entry in covering if entry.allows(difference)]
            for entry in allowing:
                entry.seen.setdefault(id, set()).add(difference.name)
            if not allowing:
                wrong.append(str(difference))
        for entry in covering:
            entry.seen.setdefault(id, set())
            wrong += _mismatches(entry, ours)
            if not entry.is_general() and not entry.seen[id]:
                wrong.append(f"stale expectation, the reference does the same: {entry.reason}")
        return wrong

    def stale(self, ids: set[str]) -> list[str]:
        """General entries that no case needs, judged only when every case of theirs ran."""
        stale = []
        for entry in self.entries:
            covered = {id for id in ids if entry.covers(id)}
            if not covered:
                stale.append(f"{entry.cases}: there is no such case")
            elif entry.is_general() and covered <= entry.seen.keys():
                if not any(entry.seen.values()):
                    stale.append(f"{entry.cases}: no case differs any more ({entry.reason})")
        return stale


def _entry(table: dict) -> Expectation:
    unknown = table.keys() - _KEYS
    ours = table.get("ours", [])
    ours = ours if isinstance(ours, list) else [ours]
    unknown |= set().union(*ours) - _OURS_KEYS
    names = table.get("ignore", [])
    unknown |= {n for n in names if n not in _NAMES and not n.startswith("header:")}
    cases = table.get("case", [])
    if unknown or not cases or not table.get("reason") or not (names or ours):
        raise ValueError(f"expectations.toml: bad entry {table!r} (unknown: {sorted(unknown)})")
    return Expectation([cases] if isinstance(cases, str) else cases, table["reason"], names, ours)


def _mismatches(entry: Expectation, outcome: Outcome) -> list[str]:
    """Where our outcome is not what the entry says it is."""
    if not entry.ours:
        return []
    wrong = []
    responses = outcome.responses
    if len(responses) != len(entry.ours):
        statuses = [r.status for r in responses]
        wrong.append(f"expected {len(entry.ours)} responses of ours, got {statuses}")
    for index, (expected, response) in enumerate(zip(entry.ours, responses)):
        actual = {
            "status": response.status,
            "headers": response.headers,
            "body": response.body,
            "closed": outcome.end == "closed",
        }
        for name, value in expected.get("header", {}).items():
            values = response.header_values(name.encode())
            if values != [value.encode("utf-8")]:
                wrong.append(f"ours, response {index + 1}, {name}: {value!r} expected, got {values}")
        for key, value in expected.items():
            if key == "header":
                continue
            if isinstance(value, str):
                value = value.encode("utf-8")
            elif isinstance(value, list):
                value = [line.encode("utf-8") for line in value]
            if actual[key] != value:
                wrong.append(
                    f"ours, response {index + 1}, {key}:\n"
                    f"    expected {value!r}\n    got      {actual[key]!r}"
                )
    return wrong
