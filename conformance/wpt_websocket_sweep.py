"""Send a handshake to every WebSocket handler of a WPT tree, on ours and on pywebsocket3.

    python wpt_websocket_sweep.py --wpt-root WPT [--tree-serve --bin BINARY]

What each answers to a handshake with a protocol, an origin and compression, then to a message and
a close, is compared; the differing ones are listed. Times in the answers are masked. With
`--tree-serve` the reference is the tree's own `serve`, and ours is `wptserve wpt`.
"""

import argparse
import concurrent.futures
import contextlib
import pathlib
import re
import sys
import tempfile
from collections.abc import Iterator

import websocket_servers
from compare import differences
from websocket import close, converse, handshake, masked_values, text
from wire import Outcome
from wpt_tree_servers import three_environments

FIELDS = (
    "Origin: http://web-platform.test:8000",
    "Sec-WebSocket-Protocol: foobar, echo",
    "Cookie: a=b; c=d",
)
KEY = "11111111-2222-4333-8444-555555555555"
# What a handler asks for, where that is more than a message.
MESSAGES = {
    "/stash_responder_blocking": '{"action": "set", "key": "%s", "value": "v"}' % KEY,
    "/stash_responder": "echo",
}
QUERIES = {"/stash_responder": f"?action=put&key={KEY}&value=v", "/set-cookies-samesite": "?value=x"}
# Those that read nothing. What a client sent them makes the reference end with a reset, which may
# take with it what was written before.
DEAF = {"/send-backpressure"}
# With what ours ends a handler that failed, where the reference breaks the connection off:
# expectations.toml, "ws-failing-value".
FAILED = b"close 1011 b''\n"
# Long waits between the bytes.
SLOW = {"/sleep_10_v13": 12.0, "/send-backpressure": 6.0}


def conversations(resource: str) -> list[tuple[bytes, tuple[bytes | int, ...]]]:
    """With and without a subprotocol: some handlers want one, some want none."""
    target = resource + QUERIES.get(resource, "?x=y")
    steps = (text(MESSAGES.get(resource, "Goodbye")), 1, close(1000, "done"))
    if resource in DEAF:
        steps = (close(1000, "done"),)
    return [
        (handshake(target, *FIELDS), steps),
        (handshake(target, FIELDS[0], "Sec-WebSocket-Extensions: permessage-deflate"), steps),
    ]


def outcomes(server: websocket_servers.Server, resource: str) -> list[Outcome]:
    """What a server answers, without what may differ."""
    found = []
    for opening, steps in conversations(resource):
        quiet = SLOW.get(resource, 2.5)
        outcome = converse(server.address, opening, steps, quiet, deadline=40)
        for response in outcome.responses:
            response.headers = [masked_values(header) for header in response.headers]
            body = response.body.replace(b":%d" % server.port, b":PORT")
            response.body = re.sub(rb"\d\.\d{3,}(e-\d+)?", b"SECONDS", body)
        found.append(outcome)
    return found


def without_failure(ours: Outcome, reference: Outcome) -> Outcome:
    """What ours answers, as the reference has it when a handler fails."""
    last = ours.responses[-1]
    if last.body.endswith(FAILED) and not reference.responses[-1].body.endswith(FAILED):
        last.body = last.body.removesuffix(FAILED)
        if not last.body and last.status is None:
            ours.responses.pop()
    return ours


@contextlib.contextmanager
def servers(
    options: argparse.Namespace, handlers: pathlib.Path, work: pathlib.Path
) -> Iterator[tuple[websocket_servers.Server, websocket_servers.Server]]:
    """Ours and the reference."""
    if options.tree_serve:
        root = options.wpt_root.resolve()
        binary = options.bin or websocket_servers.ours_binary()
        with three_environments(root, sys.executable, binary, work) as (reference, _, ours):
            yield ours.of("ws"), reference.of("ws")
        return
    with (
        websocket_servers.start_ours(handlers, work) as ours,
        websocket_servers.start_reference(handlers, work) as reference,
    ):
        yield ours, reference


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wpt-root", type=pathlib.Path, required=True)
    parser.add_argument("--tree-serve", action="store_true",
                        help="the tree's own `serve` as the reference")
    parser.add_argument("--bin", type=pathlib.Path, help="our binary, for `--tree-serve`")
    options = parser.parse_args()
    root = options.wpt_root.resolve() / "websockets" / "handlers"
    resources = sorted(
        "/" + str(path.relative_to(root)).removesuffix("_wsh.py")
        for path in root.rglob("*_wsh.py")
    )
    with (
        tempfile.TemporaryDirectory() as work,
        servers(options, root, pathlib.Path(work)) as (ours, reference),
        concurrent.futures.ThreadPoolExecutor(8) as pool,
    ):
        pairs = [
            (pool.submit(outcomes, reference, resource), pool.submit(outcomes, ours, resource))
            for resource in resources
        ]
        differing = 0
        for resource, (theirs, own) in zip(resources, pairs):
            wrong = [
                str(difference)
                for one, other in zip(theirs.result(), own.result())
                for difference in differences(one, without_failure(other, one))
            ]
            differing += bool(wrong)
            statuses = [outcome.responses[0].status.decode() for outcome in own.result()]
            print(f"{'DIFFERENT' if wrong else 'same':10}{resource:32}{' | '.join(statuses)}")
            for line in wrong:
                print("    " + line)
        log = (pathlib.Path(work) / "ours.log").read_text()
        left_out = log.count("a handler is left out")
    print(f"{len(resources)} handlers, {differing} answer differently, {left_out} cannot be loaded")
    return 1 if differing or left_out else 0


if __name__ == "__main__":
    sys.exit(main())
