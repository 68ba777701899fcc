"""The load of long_life.py: sessions of many kinds, a few at a time, with pauses.

Each session is one connection. A session returns the number of its requests, and raises `Wrong`
when an answer is not the one that is due, so that a server that stops working is not called
stable.
"""
import asyncio
import base64
import contextlib
import os
import random
import socket
import ssl
import struct

import doc_root
import forms
import odd_requests

ANSWER_SECONDS = 30
UPLOAD = bytes(3 * 1024 * 1024)


class Wrong(Exception):
    """An answer that is not the one that is due."""


class Client:
    """One connection to one of the server's ports, by scheme."""

    def __init__(self, ports, scheme="http"):
        self.host, self.port = "127.0.0.1", ports[scheme]
        self.tls = None
        if scheme in ("https", "wss"):
            self.tls = ssl.create_default_context()
            self.tls.check_hostname = False
            self.tls.verify_mode = ssl.CERT_NONE

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port, ssl=self.tls)
        return self

    async def __aexit__(self, *exception):
        self.writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await self.writer.wait_closed()

    def reset(self):
        """Leaves with a reset instead of an orderly end."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def send(self, target, method="GET", fields=(), body=b""):
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}:{self.port}", *fields]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    async def ask(self, target, due=b"hello", status=200, **request):
        self.send(target, **request)
        got, body = await self.answer()
        if got != status or (due is not None and body != due):
            raise Wrong(f"{target}: status {got}, {len(body)} bytes, {body[:60]!r}")
        return body

    async def answer(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        if "content-length" in fields:
            body = await self.reader.readexactly(int(fields["content-length"]))
        elif status == 101:
            body = b""
        else:
            body = await self.reader.read()
        return status, body


async def handlers(ports, dice):
    async with Client(ports) as client:
        for _ in range(4):
            await client.ask("/hello.py")
            await client.ask("/get_first.py?content-type=text/plain")
            await client.ask("/medium.py?name=load", due=None, fields=["Cookie: count=3"])
            await asyncio.sleep(dice.uniform(0.01, 0.05))
    return 12


async def stash(ports, dice):
    async with Client(ports) as client:
        for _ in range(6):
            await client.ask("/stash.py")
            await asyncio.sleep(dice.uniform(0.005, 0.03))
    return 6


async def files(ports, dice):
    async with Client(ports) as client:
        for _ in range(4):
            await client.ask("/static_1k.txt", doc_root.STATIC_FILES["static_1k.txt"])
            await asyncio.sleep(dice.uniform(0.005, 0.03))
        await client.ask("/static_1m.txt", doc_root.STATIC_FILES["static_1m.txt"])
        await client.ask("/static_1k.txt", b"x" * 10, 206, fields=["Range: bytes=0-9"])
        await client.ask("/missing.txt", None, 404)
    return 7


async def templates_and_pipes(ports, dice):
    content = doc_root.STATIC_FILES["static_1k.txt"]
    async with Client(ports) as client:
        for _ in range(3):
            await client.ask("/template.sub.html?title=bench", doc_root.filled_template(client.port))
            await client.ask("/static_1k.txt?pipe=header(X-Bench,1)|slice(0,512)", content[:512])
            await asyncio.sleep(dice.uniform(0.005, 0.03))
    # Content that is made while it is sent ends with its connection.
    async with Client(ports) as client:
        await client.ask("/static_1k.txt?pipe=trickle(100:d0.05:500:d0.05)", content)
    return 7


async def uploads(ports, dice):
    field = f"Content-Type: {forms.MULTIPART_TYPE}"
    async with Client(ports) as client:
        await client.ask("/form.py", forms.answer(4), method="POST", body=forms.urlencoded(),
                         fields=[f"Content-Type: {forms.URLENCODED_TYPE}"])
        await client.ask("/form.py", forms.answer(len(forms.FILE)), method="POST", fields=[field],
                         body=forms.multipart())
        if dice.random() < 0.1:
            # Too large to be kept in memory.
            await client.ask("/form.py", forms.answer(len(UPLOAD)), method="POST", fields=[field],
                             body=forms.multipart(UPLOAD))
    return 2


async def encrypted(ports, dice):
    async with Client(ports, "https") as client:
        await client.ask("/hello.py")
        await asyncio.sleep(dice.uniform(0.01, 0.05))
        await client.ask("/static_1k.txt", doc_root.STATIC_FILES["static_1k.txt"])
    return 2


async def websocket(ports, dice):
    async with Client(ports, dice.choice(["ws", "wss"])) as client:
        key = base64.b64encode(os.urandom(16)).decode()
        await client.ask("/echo", None, 101, fields=[
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}"])
        for number in range(5):
            message = b"message %d" % number
            client.writer.write(frame(0x1, message))
            echoed = await client.reader.readexactly(len(message) + 2)
            if echoed[2:] != message:
                raise Wrong(f"/echo: {echoed!r}")
            await asyncio.sleep(dice.uniform(0.005, 0.03))
        if dice.random() < 0.7:
            client.writer.write(frame(0x8, struct.pack(">H", 1000)))
            await client.reader.read()
        else:
            client.reset()
    return 6


def frame(opcode, payload):
    """A whole client's frame of less than 126 bytes, masked with zeros."""
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + bytes(4) + payload


async def aborted(ports, dice):
    async with Client(ports) as client:
        # Leaves before the answer, amid it, and amid the own body.
        kind = dice.randrange(4)
        if kind == 0:
            client.send("/sleep.py?ms=100")
            await asyncio.sleep(0.02)
        elif kind == 1:
            client.send("/static_1m.txt")
            await client.reader.readexactly(1000)
        elif kind == 2:
            client.send("/form.py", method="POST", fields=["Content-Length: 100000"])
            client.writer.write(b"a" * 1000)
            await asyncio.sleep(0.02)
        else:
            client.send("/static_1k.txt?pipe=trickle(100:d1)")
            await client.reader.readexactly(50)
        if dice.random() < 0.5:
            client.reset()
    return 1


async def malformed(ports, dice):
    async with Client(ports) as client:
        request = odd_requests.one("long life", dice.randrange(1_000_000))
        client.writer.write(request.data[:100_000])
        # The server may refuse and close before it has read all.
        with contextlib.suppress(OSError):
            if client.writer.can_write_eof():
                client.writer.write_eof()
            await client.reader.read()
    return 1


async def failing(ports, dice):
    async with Client(ports) as client:
        await client.ask("/failing.py", None, 500)
        await client.ask("/hello.py")
    return 2


# What share of the sessions each kind has.
SESSIONS = {handlers: 20, stash: 12, files: 10, templates_and_pipes: 8, uploads: 6, encrypted: 8,
            websocket: 10, aborted: 8, malformed: 12, failing: 1}


async def run(ports, seconds, clients, pause, seed):
    """Sessions for so long: {"requests", "sessions": {kind: count}, "wrong": [what]}."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    done = {"requests": 0, "sessions": dict.fromkeys((k.__name__ for k in SESSIONS), 0),
            "wrong": []}

    async def client(number):
        dice = random.Random(f"{seed}:{number}")
        while loop.time() < end:
            kind, = dice.choices(list(SESSIONS), SESSIONS.values())
            try:
                done["requests"] += await asyncio.wait_for(kind(ports, dice), ANSWER_SECONDS)
            except (Wrong, OSError, EOFError, asyncio.TimeoutError) as error:
                done["wrong"].append(f"{kind.__name__}: {error!r}")
            done["sessions"][kind.__name__] += 1
            await asyncio.sleep(dice.uniform(0, 2 * pause))

    await asyncio.gather(*(client(number) for number in range(clients)))
    return done
