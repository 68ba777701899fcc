"""Route patterns and the choice of a handler."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from wptserve.router import Router, any_method, compile_path_match


@pytest.fixture(autouse=True)
def path_restored(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))


def request(method, path):
    return SimpleNamespace(method=method, url_parts=urlsplit("http://h" + path), route_match=None)


def route(pattern, path):
    found = compile_path_match(pattern).match(path)
    return found and [found.groupdict(), list(found.groups())]


def test_patterns():
    assert route("api/{name}/*.json", "/api/x/y/z.json") == [{"name": "x"}, ["x", "y/z.json"]]
    assert route("/a.b", "/axb") is None
    assert route("*", "/") == [{}, [""]]
    with pytest.raises(ValueError):
        compile_path_match("*{a}")
    with pytest.raises(ValueError):
        compile_path_match("*a*")
    with pytest.raises(AssertionError):
        compile_path_match("{a b}")


PATTERNS = [
    "*",
    "*.py",
    "/a/{b}/c",
    "{a}{b}",
    "{a}-{b}.x",
    "a/*",
    "a/{b}/*",
    "",
    "/",
    "//",
    "a\\*b",
    "a\\{b",
    "{}",
    "{a",
    "a}",
    "**",
    "*{a}",
    "{a}*{b}",
    "{a b}",
    "x.y+z",
    "a b",
    "\xe9*",
    "a\\",
    "*/x/*.js",
]
PATHS = [
    "/",
    "/a",
    "/a.py",
    "/x/a.py",
    "/a/1/c",
    "/a/1/2/c",
    "/1-2.x",
    "/a/",
    "/a/b/c/d",
    "//",
    "/a\\*b",
    "/a}",
    "/a\\{b",
    "/x.y+z",
    "/a b",
    "/\xe9x",
    "/a\\",
    "/ab",
    "/q/x/y.js",
    "/a\n",
]


def test_patterns_match_the_reference(reference):
    cases = [("route", (pattern, path)) for pattern in PATTERNS for path in PATHS]
    for (_, case), expected in zip(cases, reference(cases), strict=True):
        try:
            ours = route(*case)
        except Exception as error:
            ours = {"raises": type(error).__name__}
        assert ours == expected, case


def test_first_route_wins():
    router = Router("/docs", [(any_method, "*.py", "py"), ("GET", "*", "file"), ("*", "/x", "x")])
    assert router.get_handler(request("POST", "/a.py")) == "py"
    assert router.get_handler(request("GET", "/x")) == "file"
    assert router.get_handler(request("HEAD", "/x")) == "file"
    assert router.get_handler(request("PUT", "/x")) == "x"
    assert router.get_handler(request("PUT", "/y")) is None
    router.register(["PUT", "POST"], "y", "later")
    assert router.get_handler(request("PUT", "/y")) == "later"
    assert sys.path[0] == "/docs"


def test_route_match():
    router = Router("/docs", [("GET", "/a/{b}/*", "h"), ("GET", "/c/{d}", "h")])
    asked = request("GET", "/a/1/2/3")
    router.get_handler(asked)
    assert asked.route_match == {"b": "1", "*": "2/3"}
    asked = request("GET", "/c/1")
    router.get_handler(asked)
    assert asked.route_match == {"d": "1"}


def test_routes_match_the_decoded_path():
    router = Router("/docs", [("*", "*.py", "py"), ("GET", "*", "file")])
    assert router.get_handler(request("GET", "/x.%70y")) == "py"


def test_default_routes():
    from wptserve import handlers, routes

    router = Router("/docs", routes.routes)
    assert router.get_handler(request("PUT", "/a.py")) is handlers.python_script_handler
    assert router.get_handler(request("GET", "/a.asis")) is handlers.as_is_handler
    assert router.get_handler(request("GET", "/a")) is handlers.file_handler
    assert router.get_handler(request("POST", "/a")) is None
