"""Send a request to every Python handler of a WPT tree, on ours and on the reference.

    python wpt_sweep.py --wpt-root WPT --reference-python PYTHON --bin BINARY --out results.json

The reference is asked twice, by two processes, so that handlers whose answer
is random or depends on the time are told from handlers that differ. A summary
goes to standard output, everything else to the results file. With `--tree-serve`
the reference is the tree's own `serve`, and ours is `wptserve wpt`.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import dataclasses
import functools
import json
import pathlib
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

from compare import Difference, differences
from normalise import normalise
from servers import Server, start_ours, start_reference
from wire import Connection, Outcome, Response, split_responses
from wpt_handlers import handler_urls
from wpt_tree_servers import three_environments

PARALLEL = 8
TIME_LIMIT = 12.0
# Endless streams are cut here; what came before is compared.
BYTE_CAP = 1 << 20
# What a POST sends.
FORM = "name=value&other=%E4&name=again"
# What the design changes on purpose, and where a bare GET can show it.
INTENDED = {"announced-close", "framing", "exception-text", "failed-hook"}


@dataclasses.dataclass
class Answer:
    """What one server answered: its outcome, and whether it was cut off by a limit."""

    outcome: Outcome
    cut: bool
    seconds: float


def ask(
    server: Server,
    path: str,
    time_limit: float = TIME_LIMIT,
    byte_cap: int = BYTE_CAP,
    fields: str = "Host: 127.0.0.1:{port}\r\n",
    method: str = "GET",
) -> Answer:
    """One request on a connection of its own, read until the server ends it; a POST has a form."""
    started = time.monotonic()
    fields = fields.format(port=server.port)
    body = ""
    if method == "POST":
        body = FORM
        fields += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
    request = f"{method} {path} HTTP/1.1\r\n{fields}Connection: close\r\n\r\n{body}"
    with Connection(server.address, time_limit) as connection:
        connection.send(request.encode())
        while connection.read(time_limit) and len(connection.received) < byte_cap:
            pass
        received, ended = connection.received[:byte_cap], connection.ended
    responses = split_responses(received, [method.encode()])
    outcome = normalise(Outcome(responses, "closed" if ended else "silent", received), server)
    outcome.responses = [_without_connection(response) for response in outcome.responses]
    return Answer(outcome, not ended, time.monotonic() - started)


def _without_connection(response: Response) -> Response:
    headers = [h for h in response.headers if not h.lower().startswith(b"connection:")]
    return dataclasses.replace(response, headers=headers)


def without_numbers(answer: Answer) -> Answer:
    """The answer with every number in its bodies and Content-Length made the same."""
    responses = [
        dataclasses.replace(
            response,
            headers=[h for h in response.headers if not h.lower().startswith(b"content-length:")],
            body=re.sub(rb"[\d.]+", b"9", response.body),
        )
        for response in answer.outcome.responses
    ]
    return dataclasses.replace(
        answer, outcome=dataclasses.replace(answer.outcome, responses=responses)
    )


def compare(reference: Answer, subject: Answer) -> list[Difference]:
    """How two answers differ; endless ones are compared as far as both go."""
    if reference.cut and subject.cut:
        _cut_alike(reference.outcome, subject.outcome)
    return differences(reference.outcome, subject.outcome)


def compare_heads(reference: Answer, subject: Answer) -> list[Difference]:
    """The same for answers to HEAD: of a traceback in its own words only the length shows."""
    return [
        Difference("exception-text", found.reference, found.ours)
        if found.name == "header:Content-Length" and " 500 " in (_status(subject) or "")
        else found
        for found in compare(reference, subject)
    ]


def _cut_alike(one: Outcome, other: Outcome) -> None:
    for theirs, own in zip(one.responses, other.responses):
        length = min(len(theirs.body), len(own.body))
        theirs.body, own.body = theirs.body[:length], own.body[:length]


def classify(again: list[Difference], found: list[Difference]) -> tuple[str, list[Difference]]:
    """The verdict on one handler, and the differences that led to it."""
    if not found:
        return "same", []
    random = {difference.name for difference in again}
    # A body of another length brings another Content-Length, and only that.
    if "body" in random:
        random.add("header:Content-Length")
    rest = [difference for difference in found if difference.name not in random]
    if not rest:
        return "non-deterministic", found
    if all(difference.name in INTENDED for difference in rest):
        return "same apart from intended differences", rest
    return "different", rest


def reason(difference: Difference) -> str:
    """A difference in one line."""
    theirs, own = difference.reference, difference.ours
    if difference.name == "body":
        at = next((i for i, (a, b) in enumerate(zip(theirs, own)) if a != b),
                  min(len(theirs), len(own)))
        return f"body at byte {at}: {theirs[at:at + 60]!r} -> {own[at:at + 60]!r}"
    return f"{difference.name}: {theirs!r} -> {own!r}"[:300]


def sweep(
    paths: list[str],
    servers: list[Server],
    log: Callable[[str], None],
    ask: Callable[[Server, str], Answer] = ask,
    compare: Callable[[Answer, Answer], list[Difference]] = compare,
) -> list[dict]:
    """Ask the reference, the reference again and the subject for every path."""
    results = []

    def one(path: str) -> dict:
        # All three at once: what is slow on one is slow on all.
        first, second, subject = asking.map(lambda server: ask(server, path), servers)
        again = compare(first, second)
        verdict, found = classify(again, compare(first, subject))
        return {
            "path": path,
            "verdict": verdict,
            "status": _status(first),
            "subject_status": _status(subject),
            "why": [reason(difference) for difference in found],
            "same_but_for_numbers": not compare(without_numbers(first), without_numbers(subject)),
            "reference_disagrees_with_itself_in": sorted({d.name for d in again}),
            "seconds": {"reference": round(first.seconds, 3), "subject": round(subject.seconds, 3)},
        }

    with (
        concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool,
        concurrent.futures.ThreadPoolExecutor(PARALLEL * len(servers)) as asking,
    ):
        for result in pool.map(one, paths):
            results.append(result)
            if result["verdict"] == "different":
                log(f"{result['path']}\n    " + "\n    ".join(result["why"]))
    return results


def _status(answer: Answer) -> str | None:
    responses = answer.outcome.responses
    status = responses[0].status if responses else None
    return None if status is None else status.decode("latin-1")


def summary(results: list[dict], what: str = "handlers") -> dict[str, int]:
    """How many of `what` were asked for, and how many got each verdict."""
    order = ["same", "same apart from intended differences", "non-deterministic", "different"]
    counts = collections.Counter(result["verdict"] for result in results)
    random = [result for result in results if result["verdict"] == "non-deterministic"]
    return {
        what: len(results),
        **{verdict: counts[verdict] for verdict in order},
        "non-deterministic, same but for numbers": sum(r["same_but_for_numbers"] for r in random),
    }


def options(description: str) -> argparse.ArgumentParser:
    """The options that every sweep has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--wpt-root", type=pathlib.Path, required=True)
    parser.add_argument("--reference-python", default=sys.executable,
                        help="an interpreter that has wptserve from PyPI")
    parser.add_argument("--bin", type=pathlib.Path, help="our binary")
    parser.add_argument("--tree-serve", action="store_true",
                        help="the tree's own `serve` as the reference, with its own wptserve")
    parser.add_argument("--subject-reference", action="store_true",
                        help="compare the reference with itself, to check this command")
    parser.add_argument("--queries", choices=["none", "filled", "used"], default="none",
                        help="ask handlers without a query, with all parameters that their "
                        "sources read, or as the tree's own sources do")
    parser.add_argument("--only", default="", help="only paths that contain this")
    parser.add_argument("--out", type=pathlib.Path, help="where the results go, as JSON")
    return parser


@contextlib.contextmanager
def three_servers(
    arguments: argparse.Namespace,
    config: dict | None = None,
    environment: bool = False,
    scheme: str = "http",
) -> Iterator[list[Server]]:
    """The reference twice, and the subject, over the tree; as the tree's environment if asked.

    With `--tree-serve` they are asked on the port of the scheme.
    """
    root = arguments.wpt_root.resolve()
    if arguments.tree_serve:
        binary = None if arguments.subject_reference else arguments.bin
        with (
            tempfile.TemporaryDirectory() as work,
            three_environments(
                root, arguments.reference_python, binary, pathlib.Path(work)
            ) as environments,
        ):
            yield [environment.of(scheme) for environment in environments]
        return
    wpt_root = root if environment else None
    with contextlib.ExitStack() as stack:
        work = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))

        def reference(name: str) -> Server:
            return stack.enter_context(
                start_reference(
                    root, work, name, arguments.reference_python, config, wpt_root
                )
            )

        servers = [reference("first"), reference("second")]
        if arguments.subject_reference:
            servers.append(reference("third"))
        else:
            servers.append(stack.enter_context(start_ours(
                root, work, arguments.bin, config, environment
            )))
        yield servers


def report(results: list[dict], out: pathlib.Path | None) -> int:
    """Prints how many answers there are of each kind; 0 when none differs."""
    counts = summary(results)
    if out:
        out.write_text(json.dumps({"counts": counts, "handlers": results}, indent=1))
    for name, count in counts.items():
        print(f"{count:5} {name}")
    return 1 if counts["different"] else 0


def main(argv: list[str] | None = None) -> int:
    """The command; 0 when no handler differs."""
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--method", default="GET", help="how to ask (GET); a POST sends a form")
    arguments = parser.parse_args(argv)
    root = arguments.wpt_root.resolve()
    paths = handler_urls(root, arguments.queries, well_known=arguments.tree_serve)
    paths = [path for path in paths if arguments.only in path]
    with three_servers(arguments) as servers:
        asked = functools.partial(ask, method=arguments.method)
        compared = compare_heads if arguments.method == "HEAD" else compare
        results = sweep(paths, servers, print, asked, compared)
    return report(results, arguments.out)


if __name__ == "__main__":
    sys.exit(main())
