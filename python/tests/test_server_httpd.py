"""`WebTestHttpd`: its parameters, its life, its router and rewriter."""

from __future__ import annotations

import socket

import pytest
from server_harness import OURS, ask, route, serving

import wptserve.handlers as handlers
from wptserve.router import any_method
from wptserve.server import RequestRewriter, Router, WebTestHttpd, WebTestServer


@pytest.fixture
def doc_root(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"file a\n")
    (tmp_path / "h.py").write_text(
        "def main(request, response):\n"
        "    return [('Content-Type', 'text/plain')], request.method + ' ' + request.doc_root\n"
    )
    (tmp_path / "raw.asis").write_bytes(b"HTTP/1.1 299 Odd\r\nContent-Length: 2\r\n\r\nok")
    return tmp_path


@pytest.fixture
def server(doc_root):
    with serving(doc_root) as server:
        yield server


def test_default_routes(server, doc_root):
    assert ask(server, "/a.txt").body == b"file a\n"
    assert ask(server, "/a.txt").headers["Content-Type"] == "text/plain"
    assert ask(server, "/h.py", "PUT").body == b"PUT " + str(doc_root).encode()
    odd = ask(server, "/raw.asis")
    assert (odd.status, odd.reason, odd.body) == (299, "Odd", b"ok")
    assert ask(server, "/nothing").status == 404
    assert ask(server, "/a.txt", "POST").status == 404
    listing = ask(server, "/")
    assert listing.headers["Content-Type"] == "text/html" and b"a.txt" in listing.body


def test_host_port_and_url(doc_root):
    server = WebTestHttpd(host="127.0.0.1", port=0, doc_root=str(doc_root))
    assert server.host == "127.0.0.1" and server.port > 0 and not server.started
    assert server.get_url("/x") is None
    server.start()
    origin = f"http://127.0.0.1:{server.port}"
    assert server.started and not server.use_ssl
    assert server.get_url() == f"{origin}/"
    assert server.get_url("/x", "a=b", "f") == f"{origin}/x?a=b#f"
    server.stop()
    assert not server.started and server.get_url("/") is None
    server.stop()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port), 1).close()


def test_listens_before_it_is_started(doc_root):
    server = WebTestHttpd(host="127.0.0.1", port=0, doc_root=str(doc_root))
    waiting = socket.create_connection(("127.0.0.1", server.port), 5)
    waiting.sendall(b"GET /a.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    server.start()
    assert waiting.makefile("rb").read().endswith(b"file a\n")
    waiting.close()
    server.stop()


def test_a_taken_port_is_an_os_error(server, doc_root):
    with pytest.raises(OSError):
        WebTestHttpd(host="127.0.0.1", port=server.port, doc_root=str(doc_root))


def test_missing_key_is_a_value_error(doc_root):
    with pytest.raises(ValueError):
        WebTestHttpd(port=0, use_ssl=True, key_file="/no/key", certificate="/no/certificate")


def test_routes_parameter_first_one_first(doc_root):
    @handlers.handler
    def first(request, response):
        return "first"

    @handlers.handler
    def second(request, response):
        return "second"

    routes = [("GET", "/x", first), (any_method, "*", second)]
    with serving(doc_root, routes=routes) as server:
        assert ask(server, "/x").body == b"first"
        assert ask(server, "/x", "POST").body == b"second"
        assert ask(server, "/a.txt").body == b"second"


def test_register_while_running(server):
    assert ask(server, "/later").status == 404
    route(server, "/later", lambda request, response: "one")
    assert ask(server, "/later").body == b"one"
    route(server, "/later", lambda request, response: "two")
    assert ask(server, "/later").body == b"two"
    server.router.register(["PUT", "DELETE"], "later", handlers.ErrorHandler(410))
    assert ask(server, "/later", "DELETE").status == 410
    assert ask(server, "/later").body == b"two"


def test_route_match(server):
    def shown(request, response):
        return repr(sorted(request.route_match.items()))

    route(server, "api/{resource}/*.json", shown)
    assert ask(server, "/api/x/y/z.json").body == b"[('*', 'y/z.json'), ('resource', 'x')]"
    assert ask(server, "/api/x/y/z.xml").status == 404


def test_head_goes_to_get_routes(server):
    route(server, "/hello", lambda request, response: "hello")
    head = ask(server, "/hello", "HEAD")
    assert (head.status, head.headers["Content-Length"], head.body) == (200, "5", b"")


def test_the_router_s_list_may_be_changed(server):
    route(server, "/x", lambda request, response: "x")
    assert ask(server, "/x").body == b"x"
    server.router.routes.pop()
    assert ask(server, "/x").status == 404
    assert ask(server, "/a.txt").body == b"file a\n"


def test_a_router_of_one_s_own(doc_root):
    class Mine(Router):
        def get_handler(self, request):
            if request.url_parts.path == "/mine":
                return handlers.StringHandler("mine", "text/plain")
            return super().get_handler(request)

    with serving(doc_root, router_cls=Mine) as server:
        assert ask(server, "/mine").body == b"mine"
        assert ask(server, "/a.txt").body == b"file a\n"
        assert ask(server, "/no").status == 404


def test_rewrites(doc_root):
    rewrites = [("GET", "/old", "/a.txt"), ("*", "/any", "/h.py")]
    with serving(doc_root, rewrites=rewrites) as server:
        assert ask(server, "/old").body == b"file a\n"
        assert ask(server, "/any", "PUT").body.startswith(b"PUT ")
        assert ask(server, "/old", "POST").status == 404
        server.rewriter.register("GET", "/older", "/a.txt")
        assert ask(server, "/older").body == b"file a\n"


def test_a_rewritten_request_keeps_its_query(server):
    def shown(request, response):
        return f"{request.request_path} {request.url_parts.query}"

    route(server, "/new", shown)
    server.rewriter.register("GET", "/old", "/new")
    assert ask(server, "/old?a=b").body == b"/new?a=b a=b"


def test_a_rewriter_of_one_s_own(doc_root):
    class Mine(RequestRewriter):
        def rewrite(self, request_handler):
            if request_handler.command == "GET":
                request_handler.path = request_handler.path.replace("/mine/", "/")

    with serving(doc_root, rewriter_cls=Mine) as server:
        assert ask(server, "/mine/a.txt").body == b"file a\n"


def test_config(doc_root):
    config = {"domains": {"": {"": "example.test"}}, "ports": {"http": [1234]}, "own": {1, 2}}
    with serving(doc_root, config=config) as server:
        seen = []
        route(server, "/config", lambda request, response: seen.append(request.server.config))
        ask(server, "/config")
        assert seen[0]["ports"]["http"] == [1234] and seen[0]["own"] == {1, 2}


def test_default_config(server):
    seen = []
    route(server, "/config", lambda request, response: seen.append(request.server.config))
    ask(server, "/config")
    assert seen[0].browser_host == "127.0.0.1"
    assert seen[0]["ports"] == {"http": [server.port]}


@pytest.mark.parametrize("latency", [60, lambda: 60])
def test_latency(doc_root, latency):
    import time

    with serving(doc_root, latency=latency) as server:
        begun = time.monotonic()
        assert ask(server, "/a.txt").body == b"file a\n"
        assert time.monotonic() - begun >= 0.06


def test_all_addresses(doc_root):
    with serving(doc_root, bind_address=False) as server:
        assert ask(server, "/a.txt").body == b"file a\n"


def test_a_server_class_of_one_s_own(doc_root):
    class Mine(WebTestServer):
        pass

    with serving(doc_root, server_cls=Mine) as server:
        assert isinstance(server.httpd, Mine)
        assert server.httpd.router is server.router and server.httpd.scheme == "http"
        assert server.httpd.server_address == ("127.0.0.1", server.port)
        assert ask(server, "/a.txt").body == b"file a\n"


@pytest.mark.skipif(not OURS, reason="an addition of ours")
def test_context_manager(doc_root):
    with WebTestHttpd(port=0, doc_root=str(doc_root)) as server:
        assert ask(server, "/a.txt").body == b"file a\n"
    assert not server.started
