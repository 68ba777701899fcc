"""Requests, responses and files that a program makes itself, and handler classes of its own."""

from __future__ import annotations

import http.client
import io
import threading
from types import SimpleNamespace
from unittest import mock

import pytest
from server_harness import OURS, ask, serving

import wptserve.handlers as handlers
import wptserve.server as server_module
from wptserve.request import InputFile, Request, RequestHeaders
from wptserve.response import Response, ResponseWriter

BODY = b"a line\nanother, longer line\nthe last"


class Fields(dict):
    """Header fields: a list of values by lower-case name."""

    def __getitem__(self, name):
        return dict.__getitem__(self, name.lower())[0]

    def get(self, name, default=None):
        return self[name] if name.lower() in self else default

    def getallmatchingheaders(self, name):
        return [f"{name}: {value}\n" for value in dict.__getitem__(self, name.lower())]


def request_handler(fields=(), body=b"", **attributes):
    """What `Request` and `Response` take for a handler of `http.server`'s kind."""
    server = SimpleNamespace(
        scheme="http",
        server_address=("127.0.0.1", 8000),
        router=SimpleNamespace(doc_root="/root"),
        config=None,
    )
    given = {
        "server": server,
        "headers": Fields(fields),
        "command": "GET",
        "path": "/a/b?c=d&c=e",
        "protocol_version": "HTTP/1.1",
        "client_address": ("127.0.0.1", 5),
        "raw_requestline": b"GET /a/b?c=d&c=e HTTP/1.1\r\n",
        "rfile": io.BytesIO(body),
        "wfile": io.BytesIO(),
        "version_string": lambda: "server",
        "date_time_string": lambda: "now",
    }
    return SimpleNamespace(**{**given, **attributes})


def test_a_request_of_a_handler():
    fields = {"host": ["a.test:81"], "cookie": ["k=v"], "x-y": ["1", "2"]}
    request = Request(request_handler(fields))
    assert (request.method, request.url) == ("GET", "http://a.test:81/a/b?c=d&c=e")
    assert request.url_parts.path == "/a/b" and request.request_path == "/a/b?c=d&c=e"
    assert request.GET.get_list(b"c") == [b"d", b"e"]
    assert request.cookies.first(b"k").value == b"v"
    assert request.headers["X-Y"] == b"1, 2" and request.headers.get("none") is None
    assert request.doc_root == "/root" and request.route_match is None
    assert request.client_address == ("127.0.0.1", 5)
    assert request.request_line == b"GET /a/b?c=d&c=e HTTP/1.1\r\n"
    assert request.auth.username is None and request.body == b""
    assert request.url_base == "/" and request.protocol_version == "HTTP/1.1"


def test_its_url_without_a_host_or_with_one_in_the_target():
    assert Request(request_handler()).url == "http://127.0.0.1:8000/a/b?c=d&c=e"
    assert Request(request_handler({"host": ["a.test"]})).url == "http://a.test:8000/a/b?c=d&c=e"
    assert Request(request_handler(path="http://b.test/")).url == "http://b.test/"


def test_its_body():
    fields = {"content-length": ["7"], "content-type": ["application/x-www-form-urlencoded"]}
    request = Request(request_handler(fields, b"a=b&c=drest", command="POST"))
    assert request.raw_input.read(2) == b"a="
    assert request.body == b"a=b&c=d"
    assert request.raw_input.read() == b"b&c=d"
    assert request.POST.first(b"c") == b"d"


def test_a_request_of_a_mock():
    handler = mock.Mock()
    handler.server.scheme = "http"
    handler.server.server_address = ("localhost", "8000")
    handler.path = "/demo"
    handler.headers = Fields()
    assert Request(handler).url == "http://localhost:8000/demo"


def test_a_class_derived_from_request():
    class Own(Request):
        def __init__(self, handler):
            super().__init__(handler)
            self.mine = 1

    own = Own(request_handler())
    assert own.mine == 1 and own.method == "GET" and isinstance(own, Request)


def test_request_headers_join_repeated_fields():
    headers = RequestHeaders(Fields({"x-foo": ["foo"], "x-bar": ["bar1", "bar2"]}))
    assert headers["x-foo"] == b"foo" and headers["X-Bar"] == b"bar1, bar2"
    assert headers.get_list("x-bar") == [b"bar1", b"bar2"]


@pytest.mark.parametrize("status", [200, (200, b"OK"), (200, "OK"), ("200", "OK")])
def test_the_status_of_a_response_of_mocks(status):
    handler, request = mock.Mock(), mock.Mock()
    handler.wfile = io.BytesIO()
    request.protocol_version = "HTTP/1.1"
    response = Response(handler, request)
    assert response.request is request
    response.status = status
    response.writer.write_status(*response.status)
    assert handler.wfile.getvalue() == b"HTTP/1.1 200 OK\r\n"


def test_a_response_is_written_to_the_handler_s_file():
    handler = request_handler()
    response = Response(handler, Request(handler))
    response.headers.set("X-A", "b")
    response.content = ["one ", lambda: "two"]
    response.add_required_headers = False
    response.write()
    assert handler.wfile.getvalue() == b"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\none two"


def test_a_writer_class_of_one_s_own():
    class Shouting(ResponseWriter):
        def write_content(self, data):
            return super().write_content(data.upper())

    handler = request_handler()
    response = Response(handler, Request(handler), response_writer_cls=Shouting)
    assert isinstance(response.writer, Shouting)
    response.content = b"abc"
    response.write()
    assert handler.wfile.getvalue().endswith(b"\r\n\r\nABC")


def test_a_response_whose_client_is_gone():
    handler = request_handler()
    handler.wfile = mock.Mock()
    handler.wfile.write.side_effect = BrokenPipeError
    assert Response(handler, Request(handler)).writer.write(b"x") is False


def test_input_file_reads_as_it_is_asked():
    assert InputFile(None, 0).read() == b""
    whole = io.BytesIO(BODY + b"not of it")
    file = InputFile(whole, len(BODY))
    assert file.read(3) == b"a l" and file.tell() == 3
    file.seek(2)
    assert file.readline() == b"line\n"
    assert file.readlines() == [b"another, longer line\n", b"the last"]
    file.seek(0)
    assert file.read() == BODY
    assert whole.read() == b"not of it"
    with pytest.raises(ValueError):
        file.seek(-1)


def test_input_file_s_buffer_size_can_be_set(monkeypatch):
    assert InputFile.max_buffer_size == 1024 * 1024
    monkeypatch.setattr(InputFile, "max_buffer_size", 10)
    file = InputFile(io.BytesIO(BODY), len(BODY))
    file.seek(4)
    assert file.readline(max_bytes=100) == b"ne\n" and file.read() == BODY[7:]


def test_a_method_in_place_of_end_headers_says_that_they_are_complete(tmp_path):
    def end_headers(writer):
        writer.write("X-Body: ")
        writer._headers_complete = True

    @handlers.handler
    def main(request, response):
        response.send_body_for_head_request = True
        response.close_connection = True
        response.writer.end_headers = lambda: end_headers(response.writer)
        return [("X-Test", "TEST")], "body\r\n\r\n"

    with serving(tmp_path, routes=[("GET", "/", main)]) as server:
        answer = ask(server, "/", "HEAD")
    assert (answer.headers["X-Test"], answer.headers["X-Body"]) == ("TEST", "body")


class Own(server_module.Http1WebTestRequestHandler):
    """A handler class with methods of its own."""

    seen: list = []

    def finish_handling(self, request, response, handler):
        self.seen.append((self.command, request.url_parts.path, threading.get_ident()))
        response.headers.set("X-Own", "yes")
        return super().finish_handling(request, response, handler)


@pytest.fixture
def own_server(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"file a\n")
    (tmp_path / "h.py").write_text(
        "def main(request, response):\n    return 201, [('X-Y', 'z')], request.body\n"
    )
    (tmp_path / "broken.py").write_text("def main(request, response):\n    1 / 0\n")
    with serving(tmp_path, handler_cls=Own) as server:
        yield server
    Own.seen.clear()


def test_a_handler_class_of_one_s_own(own_server):
    answer = ask(own_server, "/a.txt")
    assert (answer.status, answer.body, answer.headers["X-Own"]) == (200, b"file a\n", "yes")
    answer = ask(own_server, "/h.py", "POST", b"body")
    assert (answer.status, answer.body, answer.headers["X-Y"]) == (201, b"body", "z")
    assert ask(own_server, "/broken.py").status == 500
    assert ask(own_server, "/none").status == 404
    paths = [(command, path) for command, path, _ in Own.seen]
    expected = [("GET", "/a.txt"), ("POST", "/h.py"), ("GET", "/broken.py"), ("GET", "/none")]
    assert paths == expected


def test_it_keeps_connections(own_server):
    connection = http.client.HTTPConnection("127.0.0.1", own_server.port, timeout=10)
    for _ in range(3):
        connection.request("POST", "/h.py", body=b"x" * 70_000)
        assert connection.getresponse().read() == b"x" * 70_000
    connection.close()
    assert len({thread for _, _, thread in Own.seen}) == 1


def test_routes_and_rewrites_reach_it(tmp_path):
    @handlers.handler
    def main(request, response):
        return request.route_match["name"]

    rewrites = [("GET", "/old/x", "/new/x")]
    with serving(tmp_path, handler_cls=Own, routes=[], rewrites=rewrites) as server:
        server.router.register("GET", "/new/{name}", main)
        assert ask(server, "/old/x").body == b"x"


@pytest.mark.skipif(not OURS, reason="the engine alone speaks HTTP/2")
def test_over_http2_it_is_refused(tmp_path):
    with pytest.raises(TypeError, match="the engine alone speaks HTTP/2"):
        serving(tmp_path, handler_cls=Own, http2=True).__enter__()


def test_strings_and_static_files_with_pipes_and_methods(tmp_path):
    (tmp_path / "one.txt").write_text("100%% %(word)s ", encoding="utf-8")
    (tmp_path / "two.txt").write_text("é", encoding="utf-8")
    paths = [str(tmp_path / "one.txt"), str(tmp_path / "two.txt")]
    static = handlers.StaticHandler(paths, {"word": "is"}, "text/x", Cache_Control="no-store")
    string = handlers.StringHandler("text é", "text/plain", X_Number=5)
    with serving(tmp_path, routes=[("GET", "/f", static), ("*", "/s", string)]) as server:
        answer = ask(server, "/f")
        assert answer.body == "100% is é".encode()
        assert answer.headers["Content-Type"] == "text/x"
        assert answer.headers["Cache-Control"] == "no-store"
        answer = ask(server, "/s?pipe=status(203)", "PUT", b"body")
        assert (answer.status, answer.body) == (203, "text é".encode())
        assert answer.headers["X-Number"] == "5" and answer.headers["Content-Length"] == "7"
        assert ask(server, "/f", "HEAD").body == b""
