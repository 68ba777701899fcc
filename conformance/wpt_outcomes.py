"""What came of one test page, in a form that two servers can share."""

import collections
import dataclasses
import re

from wpt_environment import Environment

_HARNESS = ["OK", "ERROR", "TIMEOUT", "PRECONDITION_FAILED"]
_SUBTEST = ["PASS", "FAIL", "TIMEOUT", "NOTRUN", "PRECONDITION_FAILED"]
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclasses.dataclass
class Outcome:
    """How a page's harness ended, and its subtests by name.

    The messages are for people: two outcomes with other messages are the same.
    """

    status: str
    message: str | None = dataclasses.field(compare=False)
    subtests: dict[str, str] = dataclasses.field(default_factory=dict)
    messages: dict[str, str] = dataclasses.field(default_factory=dict, compare=False)

    @classmethod
    def told(cls, report: dict) -> "Outcome":
        """The outcome that a page's harness told, or that of a page without one."""
        if not report:
            return cls("NO HARNESS", "the page loaded without a harness")
        outcome = cls(_HARNESS[report["status"]], report["message"])
        seen: collections.Counter[str] = collections.Counter()
        for name, status, message in report["subtests"]:
            seen[name] += 1
            # Names should be unique, but not all are.
            key = name if seen[name] == 1 else f"{name} ({seen[name]})"
            outcome.subtests[key] = _SUBTEST[status]
            if message:
                outcome.messages[key] = message
        return outcome


def normalised(outcome: Outcome, environment: Environment) -> Outcome:
    """The outcome with the server's own ports, and what is random, taken out."""
    names = {port: f"{scheme}[{index}]" for scheme, ports in environment.ports.items()
             for index, port in enumerate(ports)}
    ports = re.compile(r"(?<!\d)(" + "|".join(map(str, names)) + r")(?!\d)")

    def plain(text: str) -> str:
        return _UUID.sub("UUID", ports.sub(lambda match: names[int(match[1])], text))

    return Outcome(
        outcome.status,
        outcome.message and plain(outcome.message),
        {plain(name): status for name, status in outcome.subtests.items()},
        {plain(name): plain(message) for name, message in outcome.messages.items()},
    )


def in_words(outcome: Outcome) -> str:
    """The outcome in a few words, for a line of progress."""
    counts = collections.Counter(outcome.subtests.values())
    return " ".join([outcome.status, *(f"{count} {status}" for status, count in counts.items())])
