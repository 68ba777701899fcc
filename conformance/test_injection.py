"""`wptserve wpt --inject-script`: where the script goes, and where it does not."""

import contextlib

import pytest

import servers
from case import request
from conftest import SUBJECT
from docroot_generated import build_tree
from wpt_config import ENVIRONMENT_CONFIG
from wire import Step, exchange

SCRIPT = b"window.injected = true;"
ELEMENT = (
    b"<script>\n" + SCRIPT + b"\n// Remove the injected script tag from the DOM.\n"
    b"document.currentScript.remove();\n</script>\n"
)
_PAGE = "'<!doctype html>\\n<html><head><title>x</title>'"
_HTML = "(b'Content-Type', b'text/html')"
HANDLERS = {
    "text.py": f"return [{_HTML}], {_PAGE}",
    "bytes.py": f"return [{_HTML}], {_PAGE}.encode()",
    "file.py": f"import io\n    return [{_HTML}], io.BytesIO({_PAGE}.encode())",
    "length.py": f"return [{_HTML}, (b'Content-Length', b'44')], {_PAGE}",
    "list.py": f"return [{_HTML}], [{_PAGE}]",
    "charset.py": f"return [(b'Content-Type', b'text/html;charset=utf-8')], {_PAGE}",
    "no-type.py": f"return {_PAGE}",
    "replaced.py": f"response.headers = [{_HTML}]\n    response.content = {_PAGE}",
    "writer.py": (
        "response.writer.write_status(200)\n    response.writer.write_header('Content-Type', "
        f"'text/html')\n    response.writer.end_headers()\n    response.writer.write({_PAGE})"
    ),
    "error.py": f"response.headers.set({_HTML[1:-1]})\n    raise ValueError",
}
FILES = {
    "page.html": b"<!DOCTYPE html>\r\n<!-- c -->\r\n<html lang=en><head>\r\n<meta charset=utf-8>",
    "text.html": b"text<p>",
    "broken.html": b"<!doctype><p>",
    "mark.html": b"\xef\xbb\xbf<!doctype html>\n<p>",
    "accents.html": "<!-- é\u5929 --><html><p>".encode(),
    "utf-16.html": "\ufeff<p>".encode("utf-16-le"),
    "page.xhtml": b"<html/>",
    "typed.html": b"<p>",
    "typed.html.headers": b"Content-Type: text/html; charset=utf-8\n",
    "host.sub.html": b"<html>{{host}}<br>",
}
# What stands right behind the script; None where there is none.
BEHIND = {
    "/page.html": b"<meta charset=utf-8>",
    "/text.html": b"text<p>",
    "/mark.html": b"<p>",
    "/accents.html": b"<p>",
    "/host.sub.html": b"web-platform.test<br>",
    "/a.window.html": b"<meta charset=utf-8>\n<title>",
    "/a.any.worker.html?x": b"<meta charset=utf-8>\n<title>",
    "/page.html?pipe=slice(0,20)": None,
    "/page.html?pipe=trickle(d0)": None,
    "/page.html?pipe=gzip": None,
    "/a.any.worker.js": None,
    "/broken.html": None,
    "/utf-16.html": None,
    "/page.xhtml": None,
    "/typed.html": None,
    "/": None,
    "/missing.window.html": None,
    "/tools/runner/index.html": None,
    "/text.py": b"<title>x",
    "/bytes.py": b"<title>x",
    "/file.py": b"<title>x",
    "/length.py": b"<title>x",
    "/text.py?pipe=sub": b"<title>x",
    "/list.py": None,
    "/charset.py": None,
    "/no-type.py": None,
    "/replaced.py": None,
    "/writer.py": None,
    "/error.py": None,
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Our server with the script and without it."""
    if SUBJECT != "ours":
        pytest.skip("the reference on PyPI injects nothing")
    work = tmp_path_factory.mktemp("injection").resolve()
    root = build_tree(work / "tree", "shadow-realms")
    for name, content in FILES.items():
        (root / name).write_bytes(content)
    for name, code in HANDLERS.items():
        (root / name).write_text(f"def main(request, response):\n    {code}\n")
    script = work / "script.js"
    script.write_bytes(SCRIPT)
    config = ENVIRONMENT_CONFIG
    with contextlib.ExitStack() as stack:
        started = []
        for name, options in [("with", ("--inject-script", str(script))), ("without", ())]:
            place = work / name
            place.mkdir()
            started.append(stack.enter_context(servers.start_ours(
                root, place, config=config, environment=True, options=options)))
        yield started


def ask(server: servers.Server, target: str, method: str = "GET"):
    """The one response."""
    data = request(target, method)
    return exchange(server.address, [Step(data)], [method.encode()]).responses[0]


def length(response) -> list[bytes]:
    return response.header_values(b"content-length")


@pytest.mark.parametrize("target", BEHIND)
def test_where_it_goes(pair, target):
    injected, plain = (ask(server, target) for server in pair)
    assert injected.status == plain.status
    behind = BEHIND[target]
    if behind is None:
        assert ELEMENT not in injected.body
        assert len(injected.body) == len(plain.body)
        assert length(injected) == length(plain)
    else:
        before, element, after = injected.body.partition(ELEMENT)
        assert element and before + after == plain.body
        assert after.startswith(behind)
        assert length(injected) == [b"%d" % len(injected.body)]


@pytest.mark.parametrize("target", ["/page.html", "/a.window.html", "/text.py"])
def test_head_announces_the_same_length(pair, target):
    server = pair[0]
    assert length(ask(server, target, "HEAD")) == length(ask(server, target))
