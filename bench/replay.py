"""Replays lists of URLs against a server, by several clients at once, each on one kept-alive connection.

A client reads an answer to its end before it asks for the next, and connects anew when the server
ends the connection. All run in one thread, so that the load takes as little as it can from the
server beside it.
"""
import collections
import selectors
import socket
import time

GIVE_UP_SECONDS = 10


class Client:
    """One connection and what is under way on it. `urls` is an iterator."""

    def __init__(self, address, urls, selector, report):
        self.address = address
        self.urls = urls
        self.selector = selector
        self.report = report
        self.host = f"{address[0]}:{address[1]}".encode()
        self.socket = None
        self.open()
        self.next()

    def open(self):
        self.close()
        self.socket = socket.create_connection(self.address, GIVE_UP_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(None)
        self.socket.setblocking(False)
        self.selector.register(self.socket, selectors.EVENT_READ, self)

    def close(self):
        if self.socket is not None:
            self.selector.unregister(self.socket)
            self.socket.close()
            self.socket = None

    def next(self):
        self.url = next(self.urls, None)
        self.sent_again = False
        if self.url is None:
            self.close()
        else:
            self.send()

    def send(self):
        self.received = bytearray()
        self.end = None
        self.ends_with_connection = False
        self.sent_at = time.perf_counter()
        try:
            self.socket.send(b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (self.url.encode(), self.host))
        except OSError:
            self.ended()

    def readable(self, buffer):
        try:
            count = self.socket.recv_into(buffer)
        except BlockingIOError:
            return
        except OSError:
            count = 0
        if count == 0:
            self.ended()
            return
        self.received += memoryview(buffer)[:count]
        if self.end is None and not self.ends_with_connection:
            self.read_head()
        if self.end is not None and self.end >= 0 and len(self.received) >= self.end:
            self.answered()
        elif self.end == -1 and self.received.endswith(b"0\r\n\r\n"):
            self.answered()

    def read_head(self):
        """`end`: where the answer ends; -1: with its last chunk."""
        length = self.received.find(b"\r\n\r\n")
        if length < 0:
            return
        head = bytes(self.received[:length]).lower()
        self.status = int(head[9:12])
        self.last_on_connection = b"\r\nconnection: close" in head
        at = head.find(b"\r\ncontent-length:")
        if self.status in (204, 304):
            self.end = length + 4
        elif at >= 0:
            self.end = length + 4 + int(head[at + 17:].split(b"\r\n", 1)[0])
        elif b"\r\ntransfer-encoding: chunked" in head:
            self.end = -1
        else:
            self.ends_with_connection = True

    def answered(self):
        self.report(self, self.status)
        if self.last_on_connection:
            self.open()
        self.next()

    def ended(self):
        if self.ends_with_connection:
            self.report(self, self.status)
            self.open()
            self.next()
        elif not self.received and not self.sent_again:
            # The server had ended a connection that was not used for a while.
            self.sent_again = True
            self.open()
            self.send()
        else:
            self.give_up()

    def give_up(self):
        self.report(self, 0)
        self.open()
        self.next()


def replay(address, lists):
    """Asks for the URLs of each list, one client for each, and returns what came of it:
    {"seconds", "requests", "bytes", "failed": {url: status}, "times": {url: seconds}}.

    A status of 0 means that no whole answer came.
    """
    selector = selectors.EpollSelector()
    buffer = bytearray(1024 * 1024)
    done = {"requests": 0, "bytes": 0, "failed": collections.Counter(), "times": {}}

    def report(client, status):
        done["requests"] += 1
        done["bytes"] += len(client.received)
        if not 200 <= status < 300:
            done["failed"][client.url, status] += 1
        done["times"][client.url] = time.perf_counter() - client.sent_at

    began = time.perf_counter()
    clients = [Client(address, iter(urls), selector, report) for urls in lists]
    while selector.get_map():
        for key, _ in selector.select(1):
            key.data.readable(buffer)
        now = time.perf_counter()
        for client in clients:
            if client.socket is not None and now - client.sent_at > GIVE_UP_SECONDS:
                client.give_up()
    return {"seconds": time.perf_counter() - began, **done}


def dealt(pages, clients):
    """The pages dealt out to clients, each client's as one list of URLs."""
    return [[url for page in pages[number::clients] for url in page] for number in range(clients)]
