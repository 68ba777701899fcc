"""A load for answers whose body ends with the connection, run by run.py in place of wrk.

    python bench/closing_load.py URL --connections 16 --duration 3

wrk counts the end of such a body as a read error and then opens two connections for the next
request, which makes the server do twice its work. This client opens one for each request. It
can drive some thousands of requests a second, well over what a server does that needs it.
Prints one line of JSON, in the form of measure.lua.
"""
import selectors
import socket
import time
from urllib.parse import urlsplit

from loads import command_line, measured, no_errors


class Exchange:
    """One request on a connection of its own."""

    def __init__(self, address, request, now):
        self.began = now
        self.received = 0
        self.good = False
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(address)
        self.request = request

    def send(self):
        self.socket.send(self.request)

    def receive(self, buffer):
        """Reads what is there; true at the end of the answer."""
        count = self.socket.recv_into(buffer)
        if self.received == 0:
            self.good = buffer[:count].split(b" ", 2)[1:2] in ([b"200"], [b"206"], [b"304"])
        self.received += count
        return count == 0


def load(url, connections, seconds, timeout):
    parts = urlsplit(url)
    address = (parts.hostname, parts.port)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    request = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    errors = no_errors()
    latencies, total_bytes = [], 0
    buffer = bytearray(256 * 1024)
    selector = selectors.EpollSelector()
    living = set()

    def begin():
        exchange = Exchange(address, request, time.perf_counter())
        living.add(exchange)
        selector.register(exchange.socket, selectors.EVENT_WRITE, exchange)

    def finish(exchange):
        living.discard(exchange)
        selector.unregister(exchange.socket)
        exchange.socket.close()

    began = time.perf_counter()
    for _ in range(connections):
        begin()
    while (now := time.perf_counter()) < began + seconds:
        for key, events in selector.select(0.1):
            exchange = key.data
            kind = "connect"
            try:
                if events & selectors.EVENT_WRITE:
                    exchange.send()
                    selector.modify(exchange.socket, selectors.EVENT_READ, exchange)
                    continue
                kind = "read"
                if not exchange.receive(buffer):
                    continue
            except BlockingIOError:
                continue
            except OSError:
                errors[kind] += 1
            else:
                total_bytes += exchange.received
                if exchange.received == 0:
                    errors["read"] += 1
                else:
                    latencies.append(time.perf_counter() - exchange.began)
                    errors["status"] += not exchange.good
            finish(exchange)
            begin()
        for exchange in [late for late in living if now - late.began > timeout]:
            errors["timeout"] += 1
            finish(exchange)
            begin()
    elapsed = time.perf_counter() - began
    for exchange in list(living):
        finish(exchange)

    return measured(latencies, elapsed, total_bytes, errors)


if __name__ == "__main__":
    command_line(load, __doc__, "one answer")
