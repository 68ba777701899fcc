"""Small WebSocket echoes: how many a second go through a number of connections.

    python bench/websocket_echo.py ours=ws://127.0.0.1:8001/echo reference=ws://127.0.0.1:8002/echo

Each round goes once through every server, so that a noisy moment hits all of them. `ahead` is how
many messages a connection sends before it waits: 1 measures the way of one message there and back,
all of them what a server can do. The client's messages are made before the clock starts, and
what comes back is compared when it has stopped.
"""
import argparse
import base64
import os
import select
import socket
import time
from urllib.parse import urlsplit

import in_turn
from in_turn import Wrong

PAYLOAD = b"a message that has to come back "
# A text frame that is final, masked with zeros.
MESSAGE = bytes([0x81, 0x80 | len(PAYLOAD)]) + bytes(4) + PAYLOAD
ECHO = bytes([0x81, len(PAYLOAD)]) + PAYLOAD
PATIENCE_SECONDS = 60


def measure(url, connections=100, echoes=20_000, ahead=1):
    """One run: `echoes` in all, in equal parts on each connection.

    `{"echoes", "connections", "ahead", "seconds", "echoes_per_second"}`; `Wrong` when an echo is
    missing or another one.
    """
    each = echoes // connections
    ahead = min(ahead or each, each)
    opened = [connected(url) for _ in range(connections)]
    poll = select.epoll()
    # Per descriptor: the connection, what came, how much that is, how many messages were sent.
    states = {}
    for connection in opened:
        poll.register(connection.fileno(), select.EPOLLIN)
        states[connection.fileno()] = [connection, [], 0, ahead]

    began = time.perf_counter()
    try:
        for connection in opened:
            connection.sendall(MESSAGE * ahead)
        unfinished = connections
        while unfinished:
            ready = poll.poll(PATIENCE_SECONDS)
            if not ready:
                raise Wrong(f"{unfinished} connections wait for an echo")
            for descriptor, _ in ready:
                state = states[descriptor]
                data = state[0].recv(65536)
                if not data:
                    raise Wrong("a connection ended")
                state[1].append(data)
                state[2] += len(data)
                due = min(state[2] // len(ECHO) + ahead, each) - state[3]
                if due > 0:
                    state[0].send(MESSAGE if due == 1 else MESSAGE * due)
                    state[3] += due
                elif state[2] >= each * len(ECHO):
                    unfinished -= 1
        seconds = time.perf_counter() - began
    finally:
        poll.close()
        for connection in opened:
            connection.close()
    if any(b"".join(parts) != ECHO * each for _, parts, _, _ in states.values()):
        raise Wrong("an echo is another one")
    done = each * connections
    return {"echoes": done, "connections": connections, "ahead": ahead, "seconds": seconds,
            "echoes_per_second": done / seconds}


def connected(url):
    """A connection whose handshake is done."""
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port), PATIENCE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall((f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
                        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            raise Wrong("a connection ended in the handshake")
        head += byte
    if not head.startswith(b"HTTP/1.1 101 "):
        raise Wrong(f"no handshake: {head[:80]!r}")
    return connection


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("servers", nargs="+", metavar="NAME=URL")
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--echoes", type=int, default=20_000)
    parser.add_argument("--ahead", nargs="+", type=int, default=[1, 0], help="0: all of them")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    servers = [server.partition("=")[::2] for server in options.servers]
    rates = {}
    for _ in range(options.rounds):
        for ahead in options.ahead:
            for name, url in servers:
                run = measure(url, options.connections, options.echoes, ahead)
                what = ("server", name), ("ahead", ahead)
                rates.setdefault(what, []).append(run["echoes_per_second"])
    in_turn.tell_medians(rates)


if __name__ == "__main__":
    in_turn.run(main, "websocket_echo")
