"""Sends malformed and odd requests to a server and checks that it stays well.

    python bench/malformed.py --count 10000 --corpus fuzz/corpus/request_head

Checked for each request: what odd_requests.py says is due comes within the deadline, in
responses that are well-formed, and the connection ends cleanly after the client's half-close.
Checked at the end: a good request is answered, the server still runs, its thread and
descriptor counts are back where they were, and no panic is in its stderr. Exits with 1 when
anything of this is not so.
"""
import argparse
import asyncio
import collections
import re
import socket
import struct
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import doc_root
import odd_requests
import processes
import servers
from odd_requests import ANSWER, CLOSE, NOTHING, REFUSAL
from running import Unavailable

GOOD_REQUEST = b"GET /hello.py HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9]\d\d) [^\r\n]*")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")
SHOWN_VIOLATIONS = 20


def main():
    options = arguments()
    requests = collect(options)
    if options.url:
        target = urlsplit(options.url)
        violations = check(options, requests, target.hostname, target.port, options.pid, None)
    else:
        ready, missing = servers.prepared([options.server], options)
        if missing:
            sys.exit(1)
        with doc_root.temporary() as root, ready[options.server].start(root) as server:
            violations = check(options, requests, server.host, server.port, server.pid, server)

    for text in violations[:SHOWN_VIOLATIONS]:
        print(f"VIOLATION: {text}")
    if len(violations) > SHOWN_VIOLATIONS:
        print(f"… and {len(violations) - SHOWN_VIOLATIONS} more")
    print("failed" if violations else "passed")
    sys.exit(1 if violations else 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", default="1")
    parser.add_argument("--count", type=int, default=10_000, help="generated requests (default: 10000)")
    parser.add_argument("--corpus", action="append", default=[], type=Path,
                        help="a folder whose files are sent as they are; repeatable")
    parser.add_argument("--kinds", nargs="+", choices=sorted({k.__name__ for k in odd_requests.KINDS}))
    parser.add_argument("--number", type=int, help="only this one, as a violation named it")
    parser.add_argument("--at-once", type=int, default=32, help="connections at a time (default: 32)")
    parser.add_argument("--deadline", type=float, default=10, help="seconds for each (default: 10)")
    parser.add_argument("--settle", type=float, default=30,
                        help="seconds for threads and descriptors to go back (default: 30)")
    parser.add_argument("--slack", type=int, default=4,
                        help="how many more threads or descriptors are no leak (default: 4)")
    parser.add_argument("--server", choices=("ours", "reference", "reference-nodelay"), default="ours")
    parser.add_argument("--url", help="a running server instead; with --pid it is also watched")
    parser.add_argument("--pid", type=int, help="process id of the server at --url")
    servers.add_server_options(parser)
    return parser.parse_args()


def collect(options):
    if options.number is not None:
        return [odd_requests.one(options.seed, options.number)]
    requests = list(odd_requests.generate(options.seed, options.count, options.kinds))
    for folder in options.corpus:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        print(f"{len(files)} files in {folder}")
        requests += [odd_requests.from_file(path, number) for number, path in enumerate(files)]
    return requests


def check(options, requests, host, port, pid, server):
    """All requests to one server; the violations, as texts."""
    address = host, port
    violations = []
    # As many good requests as are under way at once later, so that pools have their usual size.
    asyncio.run(warm_up(address, options))
    before = counts(pid)
    began = time.monotonic()
    results = asyncio.run(send_all(requests, address, options))
    print(f"{len(requests)} requests in {time.monotonic() - began:.1f} s")

    table = collections.Counter()
    for request, (outcome, violation) in zip(requests, results):
        table[request.kind, request.due, outcome] += 1
        if violation:
            violations.append(f"{request.kind} number {request.number}, {request.due} due: {violation}; "
                              f"{len(request.data)} bytes, {request.data[:160]!r}")
    for (kind, due, outcome), count in sorted(table.items()):
        print(f"  {kind:24} {due + ' due':14} {outcome:40} {count:6}")

    if server and server.process.poll() is not None:
        violations.append(f"the server ended with {server.process.returncode}")
    last = asyncio.run(good_request(address, options))
    if last:
        violations.append(f"a good request afterwards: {last}")
    violations += leaks(pid, before, options)
    if server:
        panics = [line for line in server.stderr().splitlines() if "panicked" in line]
        violations += [f"stderr: {line}" for line in panics]
    return violations


async def warm_up(address, options):
    answers = await asyncio.gather(*(good_request(address, options) for _ in range(options.at_once)))
    if any(answers):
        sys.exit(f"the server does not answer a good request: {next(filter(None, answers))}")


async def good_request(address, options):
    request = odd_requests.OddRequest("good", 0, GOOD_REQUEST, ANSWER)
    outcome, violation = await exchange(request, address, options.deadline)
    return violation or (None if outcome.startswith("200") else outcome)


async def send_all(requests, address, options):
    gate = asyncio.Semaphore(options.at_once)

    async def gated(request):
        async with gate:
            return await exchange(request, address, options.deadline)

    return await asyncio.gather(*(gated(request) for request in requests))


async def exchange(request, address, deadline):
    """(outcome, violation or None) of one request on a connection of its own."""
    received = bytearray()
    with socket.socket() as connection:
        connection.setblocking(False)
        try:
            return await asyncio.wait_for(converse(request, connection, address, received), deadline)
        except asyncio.TimeoutError:
            return "deadline", f"no end within {deadline:g} s, after {bytes(received[:80])!r}"
        except OSError as error:
            # Reading and writing handle their own errors, so this is the connect.
            return "not connected", repr(error)


async def converse(request, connection, address, received):
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, address)
    sending = asyncio.ensure_future(send(loop, connection, request.data))
    try:
        if request.due == NOTHING:
            await sending
            if request.number % 2:
                # Leave with a reset instead of a FIN.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return "left", None

        ended = None
        if request.due != CLOSE:
            while not ended and len(responses(received, False).statuses) < request.answers:
                ended = await receive(loop, connection, received)
        await sending
        half_close(connection)
        while not ended:
            ended = await receive(loop, connection, received)
        return judge(request, responses(received, True), ended)
    finally:
        sending.cancel()


async def send(loop, connection, data):
    try:
        await loop.sock_sendall(connection, data)
    except OSError:
        # The server may refuse and close before it has read all; what it said is read next.
        pass


async def receive(loop, connection, received):
    """None when something came, else how the connection ended: "closed" or "reset"."""
    try:
        data = await loop.sock_recv(connection, 65536)
    except OSError:
        return "reset"
    received += data
    return None if data else "closed"


def half_close(connection):
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def judge(request, seen, ended):
    outcome = ", ".join(summary(seen.statuses)) or "no answer"
    if ended == "reset":
        outcome += ", reset"
    if seen.fault:
        return outcome, f"{seen.fault} after {len(seen.statuses)} whole response(s)"
    if request.due == CLOSE:
        return outcome, "reset without an answer" if ended == "reset" and not seen.statuses else None
    if len(seen.statuses) < request.answers:
        return outcome, f"{len(seen.statuses)} of {request.answers} response(s), then {ended}"
    if request.due == REFUSAL and not 400 <= seen.statuses[0] <= 599:
        return outcome, f"accepted with {seen.statuses[0]}"
    return outcome, None


def summary(statuses):
    """The first status, and whether others followed: numbers of them would make a row for each."""
    return [str(status) for status in statuses[:1]] + ["more"] * (len(statuses) > 1)


class Responses:
    """The final statuses of whole responses, and a fault in what is not one."""

    def __init__(self):
        self.statuses = []
        self.fault = None


def responses(data, ended):
    """Reads as many whole responses as `data` holds; `ended` when no more will come."""
    seen, rest = Responses(), bytes(data)
    while rest:
        head, blank, after = rest.partition(b"\r\n\r\n")
        if not blank:
            seen.fault = f"unfinished response head {head[:80]!r}" if ended else None
            return seen
        lines = head.split(b"\r\n")
        status = STATUS_LINE.fullmatch(lines[0])
        fields = [FIELD.fullmatch(line) for line in lines[1:]]
        if not status or not all(fields):
            seen.fault = f"malformed response head {head[:80]!r}"
            return seen
        code = int(status[1])
        if 100 <= code < 200:
            rest = after
            continue
        length = body_length({field[1].lower(): field[2] for field in fields}, after, ended)
        if length is None or length > len(after):
            seen.fault = "unfinished response body" if ended else None
            return seen
        seen.statuses.append(code)
        rest = after[length:]
    return seen


def body_length(fields, after, ended):
    """How many bytes of `after` are the body, or None when it is not whole yet."""
    if b"transfer-encoding" in fields:
        end = re.match(rb"(?s)(?:.*?\r\n)?0+\r\n(?:[^\r\n]+\r\n)*\r\n", after)
        return end.end() if end else None
    if b"content-length" in fields:
        value = fields[b"content-length"]
        return int(value) if value.isdigit() else None
    return len(after) if ended else None


def counts(pid):
    if pid is None:
        print("no --pid, so threads and descriptors are not counted")
        return None
    return {"threads": processes.thread_count(pid), "descriptors": processes.descriptor_count(pid)}


def leaks(pid, before, options):
    """Waits for the counts to go back; the texts of those that did not."""
    if before is None:
        return []
    deadline = time.monotonic() + options.settle
    while True:
        after = counts(pid)
        grown = [what for what in before if after[what] > before[what] + options.slack]
        if not grown or time.monotonic() > deadline:
            print(", ".join(f"{what} {before[what]} before, {after[what]} after" for what in before))
            return [f"{what} grew from {before[what]} to {after[what]}" for what in grown]
        time.sleep(0.2)


if __name__ == "__main__":
    try:
        main()
    except Unavailable as reason:
        sys.exit(str(reason))
