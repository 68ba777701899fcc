"""What is measured: each case's request, the answer that is due, and which servers can be asked.

A server that a case does not name is absent from its table: it has no such thing, as nginx has no
handlers, or it would be measured twice, as the reference with TCP_NODELAY where it does not matter.
"""
import hashlib
import json
from dataclasses import dataclass, field

import doc_root
import forms

BOTH_OF_OURS = ("ours", "ours-2")
WSGI = ("granian", "granian-2", "uwsgi")
REFERENCES = ("reference", "reference-nodelay")
HANDLERS = (*BOTH_OF_OURS, *REFERENCES, *WSGI)


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    """What it is, for the page."""
    target: str
    servers: tuple
    answer: bytes | None = None
    """The content that is due; `None`: that of the template, which names the port."""
    scheme: str = "http"
    tool: str = "wrk"
    method: str = "GET"
    fields: dict = field(default_factory=dict)
    body: bytes = b""
    connections: tuple = (16, 64)
    """How many are open at a time, where the command line does not say otherwise."""
    at_once: int = 1
    """How many requests of a connection are under way, where the protocol allows several."""
    threads: int = 1
    """Of the load. One thread of wrk reads 3 to 4 GB/s, so in large answers it would be the limit
    of every server alike."""

    @property
    def url_scheme(self):
        """The scheme that a client is given, where it differs from the server's name for it."""
        return {"h2": "https"}.get(self.scheme, self.scheme)


def medium_answer():
    tag = hashlib.sha1(b"bench:4").hexdigest()
    return json.dumps({"name": "bench", "count": 4, "tag": tag,
                       "next": "/medium.py?name=bench"}).encode()


ONE_KIB = doc_root.STATIC_FILES["static_1k.txt"]
ONE_MIB = doc_root.STATIC_FILES["static_1m.txt"]
FILES = (*BOTH_OF_OURS, "reference", "nginx")
# The reference ends the connection after each file, so over TLS it would be a test of handshakes.
FILES_OVER_TLS = (*BOTH_OF_OURS, "nginx")

CASES = {case.name: case for case in (
    Case("hello", "a handler that returns one header and five bytes", "/hello.py",
         (*HANDLERS, "ceiling"), b"hello", connections=(1, 16, 64, 256)),
    Case("get_first", "a handler that reads a query parameter and sets it as a header",
         "/get_first.py?content-type=text/plain", HANDLERS, b"hello"),
    Case("medium", "a handler with imports, a class, a cookie read and set, and JSON",
         "/medium.py?name=bench", HANDLERS, medium_answer(), fields={"Cookie": "count=3"}),
    Case("stash", "a handler that puts a value under a fresh UUID and takes it out again",
         "/stash.py", ("ours", "ours-2", *REFERENCES), b"hello"),
    Case("form", "a POST of an urlencoded form with three fields, 0.3 KiB",
         "/form.py", HANDLERS, forms.answer(4), method="POST", body=forms.urlencoded(),
         fields={"Content-Type": forms.URLENCODED_TYPE}),
    Case("multipart", "a POST of a multipart form with two fields and a file of 2 KiB",
         "/form.py", HANDLERS, forms.answer(len(forms.FILE)), method="POST",
         body=forms.multipart(), fields={"Content-Type": forms.MULTIPART_TYPE}),
    Case("static_1k", "a file of 1 KiB", "/static_1k.txt", FILES, ONE_KIB,
         connections=(1, 16, 64, 256)),
    Case("static_1m", "a file of 1 MiB", "/static_1m.txt", FILES, ONE_MIB, threads=2),
    Case("template", "a `.sub.html` file with six tokens", "/template.sub.html?title=bench",
         ("ours", "reference")),
    Case("pipes", "the file of 1 KiB through `header` and `slice`",
         "/static_1k.txt?pipe=header(X-Bench,1)|slice(0,512)", ("ours", "reference"),
         ONE_KIB[:512]),
    Case("https_hello", "`hello` over TLS", "/hello.py", (*BOTH_OF_OURS, "reference"), b"hello",
         scheme="https"),
    Case("https_static_1k", "the file of 1 KiB over TLS", "/static_1k.txt", FILES_OVER_TLS,
         ONE_KIB, scheme="https"),
    Case("https_static_1m", "the file of 1 MiB over TLS", "/static_1m.txt", FILES_OVER_TLS,
         ONE_MIB, scheme="https", threads=2),
    Case("h2_hello", "`hello` over HTTP/2 with TLS, ten requests at a time on each connection",
         "/hello.py", (*BOTH_OF_OURS, "reference"), b"hello", scheme="h2", tool="h2load",
         connections=(1, 16), at_once=10),
    Case("h2_streams", "`hello` over HTTP/2 with TLS, on a hundred streams of one connection",
         "/hello.py", (*BOTH_OF_OURS, "reference"), b"hello", scheme="h2", tool="h2load",
         connections=(1,), at_once=100),
    Case("websocket", "a WebSocket message of 32 bytes and its echo, one at a time on each "
         "connection", "/echo", ("ours", "reference"), scheme="ws", tool="websocket_load.py",
         connections=(1, 16, 100)),
    Case("websocket_many", "such messages, 200 at a time on each connection: 20,000 are under way",
         "/echo", ("ours", "reference"), scheme="ws", tool="websocket_load.py",
         connections=(100,), at_once=200),
)}


def due(case, port):
    """The content that a server at a port owes for a case."""
    return doc_root.filled_template(port) if case.name == "template" else case.answer
