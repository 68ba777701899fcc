"""Many handlers asleep at once, and a short one asked meanwhile.

    python bench/sleepers.py --max-seconds 2 --max-rss-mb 300 --max-p99-ms 20
    python bench/sleepers.py --count 2000 --max-rss-mb 250 --min-rate-kept 0.8

Opens 1,000 connections, sends each a request to a handler that sleeps 0.5 s, and takes the
time until all have answered. During that time a process of its own asks a short handler, one
request after the other on one kept-alive connection. With `--min-rate-kept` each round also
takes the rate of that short handler under wrk, alone and then while as many handlers are
asleep. Exits with 1 when a limit is broken in the median of the rounds (memory: in any round)
or when an answer is missing or wrong.
"""
import argparse
import asyncio
import http.client
import multiprocessing
import resource
import socket
import statistics
import sys
import time

import doc_root
import loads
import processes
import servers
from cases import CASES
from running import Unavailable

ANSWER_SECONDS = 60
# One request after the other makes few long ones among many short: a p99 alone hides a stall.
SLOW_SECONDS = 0.02
# For the rate beside sleepers: how many ask, and for how long.
RATE_CONNECTIONS = 16
RATE_SECONDS = 1
# Long enough that all are asleep before the load begins and until it has ended.
RATE_SLEEP_SECONDS = 4


def main():
    options = arguments()
    # Before the server is started, which inherits the limit.
    raise_descriptor_limit(options.count + 200)
    ready, missing = servers.prepared([options.server], options)
    if missing:
        sys.exit(1)

    rounds = []
    with ready[options.server].start(doc_root.HANDLERS) as server:
        at_rest = processes.rss_kib(server.pid)
        for number in range(1, options.rounds + 1):
            measured = one_round(server, options)
            if options.min_rate_kept is not None:
                also = rates(server, options.count)
                measured["wrong"] += also.pop("wrong")
                measured["peak_rss_mb"] = max(measured["peak_rss_mb"], also.pop("peak_rss_mb"))
                measured.update(also)
            rounds.append(measured)
            print(f"round {number}: {measured['answered']}/{options.count} answered in "
                  f"{measured['seconds']:.3f} s; meanwhile {measured['short_count']} short requests, "
                  f"p50 {measured['short_p50_ms']:.2f} ms, p99 {measured['short_p99_ms']:.2f} ms, "
                  f"longest {measured['short_max_ms']:.2f} ms, {measured['short_slow']} over "
                  f"{SLOW_SECONDS * 1000:.0f} ms; peak memory "
                  f"{measured['peak_rss_mb']:.1f} MB (at rest {at_rest * 1024 / 1e6:.1f} MB), "
                  f"{measured['threads']} threads", flush=True)
            if "rate_alone" in measured:
                print(f"  short handler under load: {measured['rate_alone']:,.0f}/s alone, "
                      f"{measured['rate_beside']:,.0f}/s beside them")
            for wrong in measured["wrong"][:5]:
                print(f"  wrong: {wrong}")

    failures = broken_limits(rounds, options)
    for failure in failures:
        print(f"FAILED: {failure}")
    sys.exit(1 if failures else 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", choices=("ours", "reference", "reference-nodelay"), default="ours")
    parser.add_argument("--count", type=int, default=1000, help="sleeping requests (default: 1000)")
    parser.add_argument("--ms", type=int, default=500, help="how long each sleeps (default: 500)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--max-seconds", type=float, help="until all have answered")
    parser.add_argument("--max-rss-mb", type=float, help="peak resident memory, 1 MB = 10^6 bytes")
    parser.add_argument("--max-p99-ms", type=float, help="p99 of the short handler meanwhile")
    parser.add_argument("--min-rate-kept", type=float, metavar="PART",
                        help="the part of its rate that the short handler keeps beside sleepers")
    servers.add_server_options(parser)
    return parser.parse_args()


def measure(ours, count, number_of_rounds=3):
    """The section `sleepers` of a results file of run.py."""
    raise_descriptor_limit(count + 200)
    with ours.start(doc_root.HANDLERS) as server:
        found = [rates(server, count) for _ in range(number_of_rounds)]
    return {"count": count, "connections": RATE_CONNECTIONS, "rounds": found}


def rates(server, count):
    """The rate of the short handler under load, alone and then beside `count` sleepers."""
    processes.reset_peak_rss(server.pid)
    alone = rate_of_short_handler(server)
    sleeping = asyncio.run(beside_sleepers(server, count))
    return {"rate_alone": alone, **sleeping,
            "peak_rss_mb": processes.peak_rss_kib(server.pid) * 1024 / 1e6}


async def beside_sleepers(server, count):
    connections = [await asyncio.open_connection(server.host, server.port) for _ in range(count)]
    for _, writer in connections:
        writer.write(sleep_request(server, RATE_SLEEP_SECONDS * 1000))
    answers = [asyncio.ensure_future(answer(reader)) for reader, _ in connections]
    # Half of their time is more than enough for all to begin.
    await asyncio.sleep(RATE_SLEEP_SECONDS / 2)
    threads = processes.thread_count(server.pid)
    rate = await asyncio.to_thread(rate_of_short_handler, server)
    awake = sum(future.done() for future in answers)
    wrong = [outcome for outcome in await asyncio.gather(*answers) if outcome is not None]
    if awake:
        wrong.append(f"{awake} answered while the load was still running")
    for _, writer in connections:
        writer.close()
    return {"rate_beside": rate, "threads": threads, "wrong": wrong}


def rate_of_short_handler(server):
    url = f"{server.url}hello.py"
    found = loads.load("wrk", CASES["hello"], url, RATE_CONNECTIONS, RATE_SECONDS)
    return found["requests"] / found["seconds"]


def one_round(server, options):
    processes.reset_peak_rss(server.pid)
    # A process of its own, so that reading a thousand answers does not hold up its clock.
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    prober = context.Process(target=ask_short_handler, args=(there, server.host, server.port))
    prober.start()
    here.recv()
    try:
        sleeping = asyncio.run(ask_sleepers(server, options, here))
        latencies = sorted(here.recv()) if here.poll(ANSWER_SECONDS) else []
    finally:
        prober.join(5)
        if prober.is_alive():
            prober.terminate()
    wrong = sleeping["wrong"] + ([] if latencies else ["the short handler did not answer"])
    latencies = latencies or [float("inf")]
    return {
        "seconds": sleeping["seconds"], "answered": sleeping["answered"], "wrong": wrong,
        "short_count": len(latencies),
        "short_p50_ms": latencies[len(latencies) // 2] * 1000,
        "short_p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
        "short_max_ms": latencies[-1] * 1000,
        "short_slow": sum(latency > SLOW_SECONDS for latency in latencies),
        "peak_rss_mb": processes.peak_rss_kib(server.pid) * 1024 / 1e6,
        "threads": sleeping["threads"],
    }


async def ask_sleepers(server, options, prober):
    """All connections first, then all requests; the prober runs from the first to the last answer."""
    connections = []
    for _ in range(options.count):
        connections.append(await asyncio.open_connection(server.host, server.port))
    request = sleep_request(server, options.ms)
    prober.send("begin")
    began = time.monotonic()
    for _, writer in connections:
        writer.write(request)
    answers = asyncio.gather(*(answer(reader) for reader, _ in connections))
    await asyncio.sleep(options.ms / 2000)
    threads = processes.thread_count(server.pid)
    outcomes = await answers
    seconds = time.monotonic() - began
    prober.send("end")

    for _, writer in connections:
        writer.close()
    wrong = [outcome for outcome in outcomes if outcome is not None]
    return {"seconds": seconds, "answered": len(outcomes) - len(wrong), "wrong": wrong,
            "threads": threads}


def sleep_request(server, milliseconds):
    return (f"GET /sleep.py?ms={milliseconds} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n"
            "\r\n").encode()


async def answer(reader):
    """None when the answer is the right one, else what is wrong with it."""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ANSWER_SECONDS)
        body = await asyncio.wait_for(reader.readexactly(len(b"slept")), ANSWER_SECONDS)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError,
            asyncio.TimeoutError) as error:
        return repr(error)
    if not head.startswith(b"HTTP/1.1 200 ") or body != b"slept":
        return f"{head.splitlines()[0]!r} {body!r}"
    return None


def ask_short_handler(pipe, host, port):
    """Runs in the prober's process: latencies in seconds from "begin" to "end" on the pipe."""
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    short_request(connection)
    pipe.send("ready")
    pipe.recv()
    latencies = []
    while not pipe.poll():
        began = time.perf_counter()
        short_request(connection)
        latencies.append(time.perf_counter() - began)
    pipe.recv()
    pipe.send(latencies)


def short_request(connection):
    connection.request("GET", "/hello.py")
    response = connection.getresponse()
    body = response.read()
    if (response.status, body) != (200, b"hello"):
        raise AssertionError(f"/hello.py answered {response.status} {body!r}")


def broken_limits(rounds, options):
    failures = [f"round {number}: {len(measured['wrong'])} answers missing or wrong"
                for number, measured in enumerate(rounds, 1) if measured["wrong"]]
    for limit, value, text in (
        (options.max_seconds, statistics.median(r["seconds"] for r in rounds),
         "{:.3f} s until all have answered, over {} s"),
        (options.max_rss_mb, max(r["peak_rss_mb"] for r in rounds),
         "{:.1f} MB of peak memory, over {} MB"),
        (options.max_p99_ms, statistics.median(r["short_p99_ms"] for r in rounds),
         "p99 of {:.2f} ms for the short handler, over {} ms"),
    ):
        if limit is not None and value > limit:
            failures.append(text.format(value, limit))
    if options.min_rate_kept is not None:
        kept = statistics.median(r["rate_beside"] / r["rate_alone"] for r in rounds)
        if kept < options.min_rate_kept:
            failures.append(f"{kept:.2f} of its rate is kept beside sleepers, under "
                            f"{options.min_rate_kept}")
    return failures


def raise_descriptor_limit(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


if __name__ == "__main__":
    try:
        main()
    except Unavailable as reason:
        sys.exit(str(reason))
