"""A failing handler is a 500 with a line in the log, whatever became of Python's import system."""

import json

import pytest

from client import fetch

FAILS = "def main(request, response):\n    raise ValueError('mine')\n"
USES = """
    import uuid
    def main(request, response):
        stash, key = request.server.stash, str(uuid.uuid4())
        stash.put(key, {"kept": 1})
        assert stash.take(key) == {"kept": 1}
        response.set_cookie(b"a", b"b", max_age=3)
        response.delete_cookie(b"c")
        assert request.POST[b"field"] == b"value", request.POST
        assert request.cookies[b"name"].value == b"mine"
        assert request.raw_headers["Host"]
        assert request.url_parts.path and request.server.config["ports"]
        request.auth
        response.content = "used"
"""
# A change that a handler makes, which then fails; later requests meet it too.
CHANGES = {
    "no path": "import sys; sys.path[:] = []",
    "no modules of ours": "import sys\n"
    "    for name in [name for name in sys.modules if name.startswith('wptserve')]:\n"
    "        del sys.modules[name]",
    "no modules": "import sys; sys.modules.clear()",
    "no import statement": "import builtins; builtins.__import__ = None",
    "no traceback module": "import traceback; vars(traceback).clear()",
    "no str": "import builtins; builtins.str = None; builtins.isinstance = None",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_handler_that_breaks_the_import_system_is_told_of(serve, write, change) -> None:
    write("breaks.py", f"def main(request, response):\n    {change}\n    raise ValueError('mine')\n")
    write("fails.py", FAILS)
    write("plain.py", "def main(request, response):\n    return 'plain'\n")
    server = serve()
    for path in ("/breaks.py", "/fails.py"):
        before = len(server.log())
        answer = fetch(server, path)
        assert answer.status == 500, answer
        assert "error" in json.loads(answer.body)
        said = server.log()[before:]
        assert path in said and "ValueError" in said, said
    assert fetch(server, "/plain.py").body == b"plain"


def test_no_file_of_the_root_takes_the_place_of_a_module_that_ours_need(
    serve, write, doc_root
) -> None:
    write("modules.py", """
        import sys
        names = set(name.partition(".")[0] for name in sys.modules)
        def main(request, response):
            return " ".join(sorted(names & sys.stdlib_module_names - set(sys.builtin_module_names)))
    """)
    names = fetch(serve(), "/modules.py").body.decode().split()
    assert {"string", "pickle", "uuid", "traceback", "email"} <= set(names), names
    (doc_root / "modules.py").unlink()
    for name in {*names, "_compat_pickle", "_strptime", "copyreg", "tokenize", "zipfile"}:
        (doc_root / f"{name}.py").write_text("raise RuntimeError('of the document root')\n")
    write("h/fails.py", FAILS)
    write("h/uses.py", USES.replace("import uuid", "uuid = __import__('sys').modules['uuid']"))
    write("h/breaks.py", "def main(request, response):\n    return 1 +\n")
    server = serve()
    answer = fetch(server, "/h/fails.py")
    assert answer.status == 500 and "ValueError: mine" in json.loads(answer.body)["error"]["message"]
    assert b"SyntaxError" in fetch(server, "/h/breaks.py").body
    fields = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": "name=mine; $Path=/",
        "Authorization": "Basic YTpi",
    }
    answer = fetch(server, "/h/uses.py", "POST", b"field=value", fields)
    assert answer.body == b"used", answer
    multipart = (
        b'--b\r\nContent-Disposition: form-data; name="field"\r\n\r\nvalue\r\n--b--\r\n'
    )
    fields["Content-Type"] = "multipart/form-data; boundary=b"
    answer = fetch(server, "/h/uses.py", "POST", multipart, fields)
    assert answer.body == b"used", answer
    assert "of the document root" not in server.log()
