"""Ask for what a WPT tree serves without Python, on ours and on the reference.

    python wpt_static_sweep.py --wpt-root WPT --reference-python PYTHON --bin BINARY --out FILE

That is: every template, every target of a `.headers` file, every `.asis`, every URL with a
pipe that can be read out of the sources, and some other files at random.
"""

import dataclasses
import functools
import json
import sys

from compare import Difference
from wire import Response
from wpt_config import CONFIG
from wpt_files import groups_of_urls
from wpt_sweep import Answer, ask, compare, options, summary, sweep, three_servers

TIME_LIMIT = 15.0
# The largest files are a few MiB; whole answers are compared.
BYTE_CAP = 64 << 20
# What a page's request has, and templates ask for.
FIELDS = (
    "Host: web-platform.test:{port}\r\nAccept: */*\r\nUser-Agent: sweep\r\n"
    "Referer: http://web-platform.test:{port}/page.html\r\nCache-Control: no-cache\r\n"
    "Origin: http://web-platform.test:{port}\r\n"
)


def compare_static(reference: Answer, subject: Answer) -> list[Difference]:
    """How two answers differ, with two differences told by name.

    A right Content-Length where the reference has none is `framing`; a 500 that tells of the
    same failure in the server's own words is `exception-text`.
    """
    framed = []
    theirs, own = reference.outcome.responses, subject.outcome.responses
    for index, (one, other) in enumerate(zip(theirs, own)):
        length = b"%d" % len(other.body)
        lengths = other.header_values(b"content-length")
        if not one.header_values(b"content-length") and lengths == [length] and not subject.cut:
            framed.append(Difference("framing", "close", length, index))
            own = [*own[:index], _without_length(other), *own[index + 1:]]
    outcome = dataclasses.replace(subject.outcome, responses=own)
    found = compare(reference, dataclasses.replace(subject, outcome=outcome))
    worded = [d for d in found if d.name in ("body", "header:Content-Length")]
    if worded and all(map(_is_failure, [*theirs, *own])):
        found = [d for d in found if d not in worded]
        framed.append(Difference("exception-text", worded[0].reference, worded[0].ours))
    return framed + found


def _is_failure(response: Response) -> bool:
    return response.body.startswith(b'{"error": {"code": 500, "message": "Internal server error')


def _without_length(response: Response) -> Response:
    headers = [h for h in response.headers if not h.lower().startswith(b"content-length:")]
    return dataclasses.replace(response, headers=headers)


def main(argv: list[str] | None = None) -> int:
    """The command; 0 when no answer differs."""
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--others", type=int, default=2000, help="how many other files (2000)")
    parser.add_argument("--seed", type=int, default=1, help="which other files (1)")
    parser.add_argument("--environment", action="store_true",
                        help="`wptserve wpt` against the routes of the tree's own `serve`")
    parser.add_argument("--group", action="append", help="only this group; may be repeated")
    arguments = parser.parse_args(argv)
    groups = groups_of_urls(arguments.wpt_root.resolve(), arguments.others, arguments.seed)
    asked = functools.partial(ask, time_limit=TIME_LIMIT, byte_cap=BYTE_CAP, fields=FIELDS)

    counts, results = {}, {}
    root = arguments.wpt_root.resolve()
    config = {"doc_root": str(root), **CONFIG}
    if arguments.environment:
        # The environment listens on every port, so its certificate has to be there.
        pair = root / "tools" / "certs" / "web-platform.test"
        config["ssl"] = {"type": "pregenerated", "pregenerated": {
            "host_key_path": f"{pair}.key", "host_cert_path": f"{pair}.pem"}}
    with three_servers(arguments, config, environment=arguments.environment) as servers:
        for name, urls in groups.items():
            if arguments.group and name not in arguments.group:
                continue
            urls = [url for url in urls if arguments.only in url]
            results[name] = sweep(urls, servers, print, asked, compare_static)
            counts[name] = summary(results[name], "answers")
    print_counts(counts)
    if arguments.out:
        arguments.out.write_text(json.dumps({"counts": counts, "answers": results}, indent=1))
    return 1 if any(count["different"] for count in counts.values()) else 0


def print_counts(counts: dict[str, dict[str, int]]) -> None:
    """A line for each verdict, a column for each group, and how much of all is the same."""
    names = [*counts, "all"]
    verdicts = list(next(iter(counts.values()), {}))
    total = {v: sum(count[v] for count in counts.values()) for v in verdicts}
    print("".join(f"{name:>12}" for name in names))
    for verdict in verdicts:
        print("".join(f"{count[verdict]:12}" for count in [*counts.values(), total]), verdict)
    if total.get("answers"):
        same = 100 * (total["answers"] - total["different"]) / total["answers"]
        print(f"{same:.2f} of 100 answers are the same")


if __name__ == "__main__":
    sys.exit(main())
