"""A load of WebSocket echoes, run by run.py: on each connection some messages, then their echoes.

    python bench/websocket_load.py ws://127.0.0.1:8001/echo --connections 16 --duration 3

Prints one line of JSON, in the form of measure.lua; an echo is a request, and its time is that from
when the messages that go at once were sent.
"""
import base64
import os
import selectors
import socket
import time
from urllib.parse import urlsplit

from loads import command_line, measured, no_errors

PAYLOAD = b"a message that has to come back "
# A text frame that is final, and the payload masked with zeros.
MESSAGE = bytes([0x81, 0x80 | len(PAYLOAD)]) + bytes(4) + PAYLOAD
ECHO = bytes([0x81, len(PAYLOAD)]) + PAYLOAD


class Echoing:
    """A connection whose handshake is done."""

    def __init__(self, address, target, timeout, at_once):
        self.messages, self.echoes = MESSAGE * at_once, ECHO * at_once
        self.socket = socket.create_connection(address, timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {target} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n"
                             "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.socket.recv(1)
            if not byte:
                raise OSError("the connection ended in the handshake")
            head += byte
        if not head.startswith(b"HTTP/1.1 101 "):
            raise OSError(f"no handshake: {head[:80]!r}")
        self.socket.setblocking(False)
        self.received = bytearray()

    def send(self):
        self.received.clear()
        self.sent_at = time.perf_counter()
        # They fit in the buffer of a socket: all before them have come back.
        if self.socket.send(self.messages) != len(self.messages):
            raise OSError("the messages that are sent at once are too many")

    def receive(self):
        """How many more echoes have come, and whether all so far are the right ones."""
        data = self.socket.recv(65536)
        if not data:
            raise OSError("the connection ended")
        before = len(self.received) // len(ECHO)
        self.received += data
        return len(self.received) // len(ECHO) - before, self.echoes.startswith(self.received)

    def is_whole(self):
        return len(self.received) >= len(self.echoes)


def load(url, connections, seconds, timeout, at_once):
    parts = urlsplit(url)
    errors = no_errors()
    latencies = []
    selector = selectors.EpollSelector()
    deadline = time.perf_counter() + timeout
    for _ in range(connections):
        try:
            if time.perf_counter() > deadline:
                raise TimeoutError
            echoing = Echoing((parts.hostname, parts.port), parts.path, timeout, at_once)
        except OSError:
            errors["connect"] += 1
        else:
            selector.register(echoing.socket, selectors.EVENT_READ, echoing)

    began = time.perf_counter()
    for key in selector.get_map().values():
        key.data.send()
    while time.perf_counter() < began + seconds and selector.get_map():
        for key, _ in selector.select(0.1):
            echoing = key.data
            try:
                count, right = echoing.receive()
                latencies += [time.perf_counter() - echoing.sent_at] * count
                errors["status"] += 0 if right else count
                if echoing.is_whole():
                    echoing.send()
            except OSError:
                errors["read"] += 1
                selector.unregister(echoing.socket)
    elapsed = time.perf_counter() - began
    for key in selector.get_map().values():
        errors["timeout"] += time.perf_counter() - key.data.sent_at > timeout

    return measured(latencies, elapsed, len(latencies) * len(ECHO), errors)


if __name__ == "__main__":
    command_line(load, __doc__, "the handshake", at_once=1)
