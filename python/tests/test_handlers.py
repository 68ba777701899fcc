"""The handlers written in Python, over plain stand-ins for request and response."""

from __future__ import annotations

import json
import pickle
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from wptserve import handlers
from wptserve.request import RequestHeaders
from wptserve.response import MultipartContent, ResponseHeaders
from wptserve.utils import HTTPException


class Response:
    def __init__(self):
        self.status = 200
        self.headers = ResponseHeaders()
        self.content = b""
        self.close_connection = False
        self.written = []
        self.writer = SimpleNamespace(write_raw_content=self.written.append)

    def set_error(self, code, err=None):
        self.status = code
        self.headers = [("Content-Type", "application/json")]
        self.content = str(err)


class Function:
    """The engine's FunctionHandler needs the engine's response; this one takes any."""

    def __init__(self, func):
        self.func = func

    def __call__(self, request, response):
        result = self.func(request, response)
        if isinstance(result, tuple):
            *_, headers, response.content = result
            response.headers.update(headers)
        elif result is not None:
            response.content = result


@pytest.fixture(autouse=True)
def any_response(monkeypatch):
    monkeypatch.setattr(handlers, "FunctionHandler", Function)
    monkeypatch.setattr(handlers._wptserve, "FunctionHandler", Function)


@pytest.fixture
def docs(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"0123456789")
    (tmp_path / "sub").mkdir()
    return tmp_path


@pytest.fixture
def request_for(docs):
    def request_for(path, **headers):
        url = "http://h" + path
        return SimpleNamespace(
            url=url, url_parts=urlsplit(url), doc_root=str(docs), headers=RequestHeaders(headers)
        )

    return request_for


@pytest.fixture
def ask(request_for):
    def ask(handler, path, **headers):
        response = Response()
        handler(request_for(path, **headers), response)
        return response

    return ask


def text_of(response):
    with response.content as file:
        return file.read()


@pytest.mark.parametrize(
    "path", ["/none", "/a.txt/", "/../a.txt", "/a..txt", "/%2e%2e/a", "//etc/passwd"]
)
def test_no_such_file(ask, path):
    with pytest.raises(HTTPException) as caught:
        ask(handlers.file_handler, path)
    assert (caught.value.code, str(caught.value)) == (404, "404")


def test_directory(ask):
    response = ask(handlers.file_handler, "/sub/")
    assert list(response.headers) == [("Content-Type", "text/html")]
    assert "/sub/" in response.content


@pytest.mark.parametrize(("path", "location"), [("/sub", "/sub/"), ("/sub?x=1?y", "/sub/?x=1?y")])
def test_directory_redirect_has_its_slash_before_the_query(ask, path, location):
    response = ask(handlers.file_handler, path)
    assert response.status == 301
    assert list(response.headers) == [("Location", "http://h" + location)]


def test_python_script(ask, docs):
    (docs / "s.py").write_text(
        "def main(request, response) -> undefined_if_evaluated if False else None:\n"
        "    return [('X-File', __file__)], str(main.__annotations__)\n"
    )
    response = ask(handlers.python_script_handler, "/s.py")
    assert list(response.headers) == [(b"X-File", str(docs / "s.py").encode())]
    # The future imports of the module that compiles a handler are not the handler's.
    assert response.content == "{'return': None}"


def test_python_script_of_a_directory(ask, docs):
    (docs / "sub" / "default.b.py").write_text("def main(request, response): return 'b'")
    (docs / "sub" / "default.a.py").write_text("def main(request, response): return 'a'")
    assert ask(handlers.python_script_handler, "/sub").content == "a"


def test_python_script_that_cannot_run(ask, docs):
    (docs / "no_main.py").write_text("x = 1")
    with pytest.raises(HTTPException) as caught:
        ask(handlers.python_script_handler, "/no_main.py")
    assert (caught.value.code, caught.value.message) == (
        500,
        f"No main function in script {docs / 'no_main.py'}",
    )
    (docs / "io.py").write_text("open('/nonexistent')")
    with pytest.raises(HTTPException) as caught:
        ask(handlers.python_script_handler, "/io.py")
    assert caught.value.code == 404
    (docs / "bad.py").write_text("def")
    with pytest.raises(SyntaxError):
        ask(handlers.python_script_handler, "/bad.py")


def test_the_functions_of_a_python_script_for_frames(docs, request_for):
    frame_handler = handlers.python_script_handler.frame_handler
    (docs / "frames.py").write_text(
        "def handle_headers(frame, request, response): return 'headers'\n"
        "def main(request, response): return 'main'\n"
    )
    found = frame_handler(request_for("/frames.py"))
    assert found.handle_headers(None, None, None) == "headers"
    assert found.func(None, None) == "main"
    assert not hasattr(found, "handle_data")
    (docs / "data.py").write_text("def handle_data(frame, request, response): pass")
    assert frame_handler(request_for("/data.py")).func(None, None) is None
    (docs / "nothing.py").write_text("x = 1")
    with pytest.raises(HTTPException) as caught:
        frame_handler(request_for("/nothing.py"))
    assert (caught.value.code, caught.value.message) == (
        500,
        f"No main function or handlers in script {docs / 'nothing.py'}",
    )


def test_as_is(ask, docs):
    (docs / "x.asis").write_bytes(b"HTTP/1.0 200 YAY\n\nx")
    response = ask(handlers.as_is_handler, "/x.asis")
    assert response.written == [b"HTTP/1.0 200 YAY\n\nx"]
    assert response.close_connection
    with pytest.raises(HTTPException) as caught:
        ask(handlers.as_is_handler, "/sub")
    assert caught.value.code == 500
    with pytest.raises(HTTPException) as caught:
        ask(handlers.as_is_handler, "/none.asis")
    assert caught.value.code == 404


@pytest.mark.parametrize(
    ("result", "content", "length"),
    [
        ({"a": "\xe9"}, '{"a": "\\u00e9"}', b"15"),
        (([("X", "1")], [1]), "[1]", b"3"),
        (None, "null", b"4"),
    ],
)
def test_json_handler(ask, result, content, length):
    response = ask(handlers.json_handler(lambda request, response: result), "/")
    assert response.content == content and json.loads(content) is not True
    assert list(response.headers)[:2] == [
        (b"Content-Type", b"application/json"),
        (b"Content-Length", length),
    ]


def test_string_and_error_handlers(ask):
    response = ask(handlers.StringHandler("x", "a/b", X_Y="1"), "/")
    assert list(response.headers) == [(b"Content-Type", b"a/b"), (b"X-Y", b"1")]
    assert response.content == "x"
    assert ask(handlers.ErrorHandler(404), "/").status == 404


def test_static_handler(ask, docs):
    (docs / "t").write_text("%(x)s")
    handler = handlers.StaticHandler([str(docs / "t"), str(docs / "a.txt")], {"x": 1}, "a/b", X="y")
    assert ask(handler, "/").content == "10123456789"
    assert ask(pickle.loads(pickle.dumps(handler)), "/").content == "10123456789"
    assert ask(handlers.StaticHandler(str(docs / "t"), None, "a/b"), "/").content == "%(x)s"


def test_basic_auth_handler(ask):
    inner = handlers.StringHandler("x", "a/b")
    credentials = "Basic dTpw"
    response = ask(handlers.BasicAuthHandler(inner, None, None), "/")
    assert response.status == 401
    assert list(response.headers) == [(b"WWW-Authenticate", b"Basic")]
    handler = handlers.BasicAuthHandler(inner, b"u", b"p")
    assert ask(handler, "/", Authorization=credentials).content == "x"
    assert ask(handler, "/", Authorization="Basic dTpx").status == 403
    handler = handlers.BasicAuthHandler(inner, None, None)
    assert ask(handler, "/", Authorization=credentials).content == "x"


def test_parse_qs():
    assert handlers.parse_qs("a=1&b&c=&a=%C3%A9+x&&d;e=1=2&=v") == {
        "a": ["1", "\xe9 x"],
        "d;e": ["1=2"],
        "": ["v"],
    }
