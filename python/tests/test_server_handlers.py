"""Handlers as callables and classes, registered with a running server."""

from __future__ import annotations

import json
import os

import pytest
from server_harness import ask, route, serving

import wptserve.handlers as handlers
from wptserve.handlers import filesystem_path, wrap_pipeline
from wptserve.utils import HTTPException


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path) as server:
        server.root = tmp_path
        yield server


def register(server, path, handler, method="GET"):
    server.router.register(method, path, handler)


def test_a_plain_function_fills_in_the_response(server):
    def plain(request, response):
        response.status = (202, "Fine")
        response.headers.set("X-A", "1")
        response.content = "content"
        return "ignored"

    register(server, "/plain", plain)
    reply = ask(server, "/plain")
    assert (reply.status, reply.reason, reply.body) == (202, "Fine", b"content")
    assert reply.headers["X-A"] == "1"


@pytest.mark.parametrize(
    "returned, status, body",
    [
        ("text", 200, b"text"),
        (b"bytes", 200, b"bytes"),
        (([("X-A", "1")], "x"), 200, b"x"),
        ((201, [("X-A", "1")], "x"), 201, b"x"),
        (((202, "Giraffe"), [], "x"), 202, b"x"),
        (iter(["a", "b"]), 200, b"ab"),
    ],
)
def test_return_values(server, returned, status, body):
    route(server, "/returns", lambda request, response: returned)
    reply = ask(server, "/returns")
    assert (reply.status, reply.body) == (status, body)


def test_a_json_handler(server):
    @handlers.json_handler
    def data(request, response):
        return {"query": request.url_parts.query}

    register(server, "/json", data)
    reply = ask(server, "/json?a=1")
    assert reply.headers["Content-Type"] == "application/json"
    assert json.loads(reply.body) == {"query": "a=1"}


def test_pipes_of_functions(server):
    route(server, "/piped", lambda request, response: "PASS")
    reply = ask(server, "/piped?pipe=slice(null,2)|status(202)")
    assert (reply.status, reply.body) == (202, b"PA")


def test_errors(server):
    def broken(request, response):
        raise KeyError("missing")

    def refused(request, response):
        raise HTTPException(403, "not you")

    route(server, "/broken", broken)
    route(server, "/refused", refused)
    reply = ask(server, "/broken")
    assert reply.status == 500 and "missing" in json.loads(reply.body)["error"]["message"]
    reply = ask(server, "/refused")
    assert json.loads(reply.body) == {"error": {"code": 403, "message": "(403, 'not you')"}}


def test_error_string_and_static_handlers(server):
    path = server.root / "format.txt"
    path.write_text("%(name)s!")
    register(server, "/gone", handlers.ErrorHandler(410))
    register(server, "/string", handlers.StringHandler("text", "text/x", X_Name="v"))
    register(server, "/static", handlers.StaticHandler(str(path), {"name": "n"}, "text/y"))
    reply = ask(server, "/gone")
    assert reply.status == 410
    assert json.loads(reply.body) == {"error": {"code": 410, "message": ""}}
    reply = ask(server, "/string")
    assert (reply.headers["Content-Type"], reply.headers["X-Name"]) == ("text/x", "v")
    assert ask(server, "/static").body == b"n!"


def test_mounted_files_scripts_and_directories(server, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "b.txt").write_text("file b")
    (other / "where.py").write_text(
        "def main(request, response):\n"
        "    return request.doc_root + ' ' + request.url_base\n"
    )
    base = str(other)
    register(server, "/at/*", handlers.FileHandler(base_path=base, url_base="/at/"))
    register(server, "/at/*.py", handlers.PythonScriptHandler(base_path=base, url_base="/at/"))
    register(server, "/list/", handlers.DirectoryHandler(base_path=base, url_base="/list/"))
    assert ask(server, "/at/b.txt").body == b"file b"
    assert ask(server, "/at/where.py").body == f"{base} /at/".encode()
    assert ask(server, "/at/none").status == 404
    assert b"b.txt" in ask(server, "/list/").body


def test_a_subclass_of_file_handler_is_asked(server):
    class Typed(handlers.FileHandler):
        def get_headers(self, request, path):
            return [(b"Content-Type", b"text/mine")]

    (server.root / "a.mine").write_text("mine")
    register(server, "*.mine", Typed())
    reply = ask(server, "/a.mine")
    assert (reply.headers["Content-Type"], reply.body) == ("text/mine", b"mine")


def test_a_callable_class_with_a_place_of_its_own(server):
    class Placed:
        base_path = str(server.root / "below")
        url_base = "/placed/"

        def __call__(self, request, response):
            response.content = f"{request.doc_root} {request.url_base}"

    register(server, "/placed/*", Placed())
    assert ask(server, "/placed/x").body.decode() == f"{Placed.base_path} /placed/"


class Wrapper:
    """As the wrappers of generated test pages are written."""

    def __init__(self, base_path=None, url_base="/"):
        self.base_path = base_path
        self.url_base = url_base
        self.handler = handlers.handler(self.handle_request)

    def __call__(self, request, response):
        self.handler(request, response)

    def handle_request(self, request, response):
        path = filesystem_path(self.base_path, request, self.url_base).replace(".any.html", ".any.js")
        for name, value in [("Content-Type", "text/html"), *handlers.load_headers(request, path)]:
            response.headers.set(name, value)
        self.check_exposure(path)
        query = request.url_parts.query
        script = request.url_parts.path.replace(".any.html", ".any.js")
        response.content = f"<script src={script}{query and '?' + query}></script>"
        wrap_pipeline(path, request, response)

    def check_exposure(self, path):
        with open(path) as file:
            if "global=none" in file.read():
                raise HTTPException(404, "not exposed")


@pytest.mark.parametrize("mounted", [False, True])
def test_a_wrapper(server, mounted, tmp_path_factory):
    root, url_base = server.root, "/"
    if mounted:
        root, url_base = tmp_path_factory.mktemp("mount"), "/m/"
    (root / "x.any.js").write_text("// META: global=window")
    (root / "no.any.js").write_text("// META: global=none")
    (root / "x.any.js.headers").write_text("X-Header: yes\n")
    wrapper = Wrapper(str(root) if mounted else None, url_base)
    register(server, f"{url_base}*.any.html", wrapper)
    reply = ask(server, f"{url_base}x.any.html?q")
    assert reply.headers["X-Header"] == "yes" and reply.headers["Content-Type"] == "text/html"
    assert reply.body.decode() == f"<script src={url_base}x.any.js?q></script>"
    assert ask(server, f"{url_base}x.any.html?pipe=status(207)").status == 207
    assert ask(server, f"{url_base}no.any.html").status == 404


def test_basic_authentication(server):
    (server.root / "secret.txt").write_text("secret")
    handler = handlers.BasicAuthHandler(handlers.file_handler, b"user", b"word")
    register(server, "/secret.txt", handler)
    assert ask(server, "/secret.txt").status == 401
    assert ask(server, "/secret.txt", Authorization="Basic dXNlcjp3b3Jk").body == b"secret"
    assert ask(server, "/secret.txt", Authorization="Basic dXNlcjpubw==").status == 403


def test_what_a_handler_reads(server):
    seen = {}

    def look(request, response):
        seen.update(
            method=request.method,
            body=request.body,
            posted=request.POST.first(b"a"),
            query=request.GET.first(b"q"),
            header=request.headers.get("x-mine"),
            cookie=request.cookies.first(b"c").value,
            root=request.doc_root,
        )
        return "ok"

    route(server, "/look", look, "POST")
    ask(
        server, "/look?q=1", "POST", "a=2", X_Mine="3", Cookie="c=4",
        Content_Type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert seen == {
        "method": "POST", "body": b"a=2", "posted": b"2", "query": b"1", "header": b"3",
        "cookie": b"4", "root": str(server.root),
    }  # fmt: skip


def test_a_handler_writes_by_itself(server):
    def writes(request, response):
        response.writer.write_status(200)
        response.writer.write_header("Content-Length", 4)
        response.writer.end_headers()
        for part in (b"ab", b"cd"):
            response.writer.write(part)

    register(server, "/writes", writes)
    assert ask(server, "/writes").body == b"abcd"


def test_templates_read_the_configuration(server):
    (server.root / "t.sub.txt").write_text("{{host}} {{ports[http][0]}} {{GET[a]}}")
    reply = ask(server, "/t.sub.txt?a=1")
    assert reply.body.decode() == f"127.0.0.1 {server.port} 1"


def test_environment_of_python_files(server):
    (server.root / "helper_of_test.py").write_text("VALUE = 'helped'\n")
    (server.root / "uses.py").write_text(
        "from helper_of_test import VALUE\n"
        "def main(request, response):\n    return VALUE + ' ' + __file__\n"
    )
    assert ask(server, "/uses.py").body.decode() == f"helped {os.path.join(server.root, 'uses.py')}"
