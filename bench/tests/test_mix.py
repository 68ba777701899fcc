"""Which URLs a test loads, and how answers are replayed.

    python -m unittest discover bench/tests
"""
import socket
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import mix_urls
import replay

FILES = {
    "dom/page.html": b"""<script src=/resources/testharness.js></script>
        <script src="support/a.js"></script> <link rel="stylesheet" href='../css/s.css'>
        <link rel=match href=page-ref.html> <iframe src="frame.html?x=1#y"></iframe>
        <img src="data:image/png,x"> <script src="https://example.test/no.js"></script>
        <script>fetch("handler.py?a=b"); import("module");fetch(`${no}`); open("{{host}}/x")</script>""",
    "dom/frame.html": b"<script>importScripts('deep.js')</script><script src=support/a.js></script>",
    "dom/support/a.js": b"new Worker('w.js'); fetch('/common/x.json')",
    "dom/none.html": b"<p>no test</p>",
    "dom/page-ref.html": b"<link rel=match href=x>",
    "dom/secure.https.html": b"/resources/testharness.js",
    "dom/api.any.js": b"// META: script=/common/get.js\nfetch('data.txt')",
    "dom/support/helper.html": b"/resources/testharness.js",
    "resources/testharness.js": b"fetch('/not/read')",
}


class Urls(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for name, content in FILES.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_bytes(content)

    def test_what_a_page_loads_two_steps_deep(self):
        self.assertEqual(mix_urls.urls_of(self.root, "dom/page.html"), [
            "/dom/page.html", "/resources/testharness.js", "/dom/support/a.js", "/dom/frame.html?x=1",
            "/css/s.css", "/dom/handler.py?a=b",
            "/dom/support/w.js", "/common/x.json", "/dom/deep.js"])

    def test_generated_pages(self):
        self.assertEqual(mix_urls.urls_of(self.root, "dom/api.any.js"), [
            "/dom/api.any.html", "/dom/api.any.worker.html", "/dom/api.any.worker.js",
            "/resources/testharness.js", "/resources/testharnessreport.js", "/dom/api.any.js",
            "/dom/data.txt", "/common/get.js"])

    def test_only_tests_are_chosen_always_the_same(self):
        chosen = [urls[0] for urls in mix_urls.tests(self.root, 10)]
        self.assertEqual(sorted(chosen), ["/dom/api.any.html", "/dom/page.html"])
        self.assertEqual(chosen, [urls[0] for urls in mix_urls.tests(self.root, 10)])
        self.assertEqual(len(mix_urls.tests(self.root, 1)), 1)


class Replay(unittest.TestCase):
    def replayed(self, answers, urls):
        """What comes of URLs, each answered by the bytes of its name, then the end if it says so."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=converse, args=(connection,), daemon=True).start()

        def converse(connection):
            with connection, connection.makefile("rb") as stream:
                while request := stream.readline():
                    while stream.readline() not in (b"\r\n", b""):
                        pass
                    answer, ends = answers[request.split()[1].decode()]
                    connection.sendall(answer)
                    if ends:
                        return

        threading.Thread(target=serve, daemon=True).start()
        return replay.replay(listener.getsockname(), urls)

    def test_each_way_that_an_answer_ends(self):
        seen = self.replayed({
            "/length": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", False),
            "/chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", False),
            "/end": (b"HTTP/1.0 200 OK\r\n\r\nhi", True),
            "/close": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", True),
            "/none": (b"HTTP/1.1 204 \r\n\r\n", False),
            "/missing": (b"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", False),
        }, [["/length", "/chunks", "/end", "/close", "/none", "/missing", "/length"], ["/end", "/end"]])
        self.assertEqual(seen["requests"], 9)
        self.assertEqual(dict(seen["failed"]), {("/missing", 404): 1})

    def test_a_server_that_only_hangs_up(self):
        seen = self.replayed({"/gone": (b"", True)}, [["/gone"]])
        self.assertEqual(dict(seen["failed"]), {("/gone", 0): 1})

    def test_pages_are_dealt_out_whole(self):
        self.assertEqual(replay.dealt([["a", "b"], ["c"], ["d"]], 2), [["a", "b", "d"], ["c"]])


if __name__ == "__main__":
    unittest.main()
