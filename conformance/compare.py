"""Whole outcomes compared, piece by piece, so that a difference has a name.

Names: `responses` (their number), `status`, `header:Name`, `header-order`,
`body`, `closed` (how the exchange ended), and two compound ones that hold
only when everything else agrees:

- `announced-close`: ours says `Connection: close` before a close, the reference says nothing;
- `exception-text`: two tracebacks with the same frames and exception type, in other words;
- `framing`: the reference delimits a body by closing, ours by a right
  Content-Length on a connection kept open.
"""

import dataclasses
import json
import re

from wire import Outcome, Response

_EXCEPTION = re.compile(
    r"(.*\n  Traceback \(most recent call last\):\n(?:    .*\n|\n)*)  (\w+): ?(.*)", re.S
)


@dataclasses.dataclass(frozen=True)
class Difference:
    """One piece in which two outcomes disagree."""

    name: str
    reference: object
    ours: object
    index: int = 0

    def __str__(self) -> str:
        return (
            f"{self.name} (response {self.index + 1}):\n"
            f"    reference {_shown(self.reference)}\n    ours      {_shown(self.ours)}"
        )


def differences(reference: Outcome, ours: Outcome) -> list[Difference]:
    """Every piece in which the two outcomes differ; empty when they are the same."""
    found = []
    if len(reference.responses) != len(ours.responses):
        found.append(
            Difference("responses", _summary(reference.responses), _summary(ours.responses))
        )
    last = max(len(reference.responses), len(ours.responses)) - 1
    pairs = zip(reference.responses, ours.responses)
    compound: set[str] = set()
    for index, (theirs, own) in enumerate(pairs):
        found += _of_responses(theirs, own, index, index == last, reference, ours, compound)
    if reference.end != ours.end and "framing" not in compound:
        found.append(Difference("closed", reference.end, ours.end, last))
    return found


def _of_responses(
    theirs: Response,
    own: Response,
    index: int,
    is_last: bool,
    reference: Outcome,
    ours: Outcome,
    compound: set[str],
) -> list[Difference]:
    found = []
    if theirs.status != own.status:
        found.append(Difference("status", theirs.status, own.status, index))
    own_headers = own.headers
    if is_last and ours.end == "closed":
        announced = _without(own_headers, b"connection", [b"close"])
        if announced is not None and not theirs.header_values(b"connection"):
            found.append(Difference("announced-close", None, b"Connection: close", index))
            own_headers = announced
    elif is_last and reference.end == "closed" and ours.end == "open":
        if not theirs.header_values(b"content-length"):
            framed = _without(own_headers, b"content-length", [b"%d" % len(own.body)])
            if framed is not None:
                found.append(Difference("framing", "close", b"%d bytes" % len(own.body), index))
                compound.add("framing")
                own_headers = framed
    worded = _other_words(theirs, own)
    if worded is not None:
        found.append(Difference("exception-text", *worded, index))
        length = b"Content-Length: %d" % len(theirs.body)
        own_headers = [length if _name(h) == b"content-length" else h for h in own_headers]
    elif theirs.body != own.body:
        found.append(Difference("body", theirs.body, own.body, index))
    return found + _of_headers(theirs.headers, own_headers, index)


def _other_words(theirs: Response, own: Response) -> tuple[str, str] | None:
    """The exception texts, if nothing else tells two error bodies apart."""
    parts = [_exception(response) for response in (theirs, own)]
    if None in parts or parts[0] == parts[1] or parts[0][:2] != parts[1][:2]:
        return None
    return parts[0][2], parts[1][2]


def _exception(response: Response) -> tuple[str, str, str] | None:
    """An error body as (all before the exception's line, exception type, text)."""
    framed = response.header_values(b"content-length") == [b"%d" % len(response.body)]
    if not framed or not response.body.startswith(b'{"error": {"code": 5'):
        return None
    try:
        message = json.loads(response.body)["error"]["message"]
    except ValueError:
        return None
    match = _EXCEPTION.fullmatch(message)
    return match.groups() if match else None


def _without(headers: list[bytes], name: bytes, values: list[bytes]) -> list[bytes] | None:
    """The lines without those of `name`, if these hold exactly `values`."""
    taken = [line for line in headers if _name(line) == name]
    if [line.partition(b":")[2].strip() for line in taken] != values:
        return None
    return [line for line in headers if _name(line) != name]


def _of_headers(theirs: list[bytes], own: list[bytes], index: int) -> list[Difference]:
    found = []
    for name in dict.fromkeys(_name(line) for line in [*theirs, *own]):
        their_lines = [line for line in theirs if _name(line) == name]
        own_lines = [line for line in own if _name(line) == name]
        if their_lines != own_lines:
            label = (their_lines + own_lines)[0].partition(b":")[0].decode("latin-1")
            found.append(Difference(f"header:{label}", their_lines, own_lines, index))
    differing = {d.name.partition(":")[2].lower().encode("latin-1") for d in found}
    their_order = [_name(line) for line in theirs if _name(line) not in differing]
    own_order = [_name(line) for line in own if _name(line) not in differing]
    if their_order != own_order:
        found.append(Difference("header-order", their_order, own_order, index))
    return found


def _name(line: bytes) -> bytes:
    return line.partition(b":")[0].strip().lower()


def _summary(responses: list[Response]) -> list[object]:
    return [r.status if r.status is not None else r.body[:200] for r in responses]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 1200 else f"{text[:900]} … {text[-250:]} ({len(text)})"
