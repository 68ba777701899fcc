"""Send a GET over HTTP/2 to every Python handler of a WPT tree, on ours and on the tree's `serve`.

    python wpt_http2_sweep.py --wpt-root WPT --bin BINARY --out results.json [--only .h2.]

What is compared is every event of every stream in turn: interim responses, heads, data, promises,
ends and resets. Pieces of data that follow each other count as one. A hook that fails is never
answered by the reference, which `test_http2.py` has a case for: that is an intended difference.
"""

import re
import sys
import time

import http2_client
from compare import Difference, differences
from normalise import normalise
from servers import Server
from wire import Outcome, Response
from wpt_handlers import handler_urls
from wpt_sweep import Answer, options, report, sweep, three_servers

TIME_LIMIT = 12.0
# Handlers pause between what they send.
QUIET = 4.0
_URL = re.compile(rb"https?2?://[^/ ]+:\d+/")


def ask(server: Server, path: str) -> Answer:
    """One GET on a connection of its own, read until its streams end."""
    started = time.monotonic()
    streams = http2_client.ask(
        server.address, path, authority=f"web-platform.test:{server.port}", tls=True,
        patience=TIME_LIMIT, quiet=QUIET,
    )
    cut = not any(event[0] in ("end", "reset") for event in streams.get(1, []))
    outcome = normalise(outcome_of(streams), server)
    return Answer(outcome, cut, time.monotonic() - started)


def outcome_of(streams: dict[int, list[tuple]]) -> Outcome:
    """A response for each head, with the data that follows it; other events stand in words."""
    responses = []
    for number, events in sorted(streams.items()):
        for kind, *values in events:
            if kind == "head":
                status, *fields = [b"%s: %s" % field for field in values[0]]
                responses.append(Response(status, fields, b"", True))
            elif kind == "data" and responses and responses[-1].status is not None:
                responses[-1].body += values[0]
            else:
                said = f"stream {number}: {kind} {values}"
                responses.append(Response(None, [], said.encode(), True))
    for response in responses:
        _without_url(response)
    return Outcome(responses, "closed", b"")


def compare(reference: Answer, subject: Answer) -> list[Difference]:
    """How two answers differ; `failed-hook` where a hook fails, and the reference goes silent.

    Ours then sends a 500, or a reset behind what was sent.
    """
    found = differences(reference.outcome, subject.outcome)
    theirs, own = reference.outcome.responses, subject.outcome.responses
    further = own[len(theirs) :]
    failed = bool(further) and (
        further[0].status == b":status: 500" or b"reset" in further[0].body
    )
    if reference.cut and failed and theirs == own[: len(theirs)]:
        return [Difference("failed-hook", "silence", str(further[0].status or further[0].body))]
    return found


def _without_url(response: Response) -> None:
    """An error's text names the URL, of which the reference has a wrong form over HTTP/2."""
    body = _URL.sub(b"URL/", response.body)
    if body != response.body:
        length = b"content-length: %d"
        response.headers = [
            length % len(body) if field == length % len(response.body) else field
            for field in response.headers
        ]
        response.body = body


def main(argv: list[str] | None = None) -> int:
    """The command; 0 when no handler differs."""
    arguments = options(__doc__.splitlines()[0]).parse_args(argv)
    arguments.tree_serve = True
    root = arguments.wpt_root.resolve()
    paths = handler_urls(root, arguments.queries, well_known=True)
    paths = [path for path in paths if arguments.only in path]
    with three_servers(arguments, scheme="h2") as servers:
        results = sweep(paths, servers, print, ask, compare)
    return report(results, arguments.out)


if __name__ == "__main__":
    sys.exit(main())
