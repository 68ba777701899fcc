"""One build runs in every supported Python, and refuses older ones by name."""

import functools
import json
import pathlib
import re
import shutil
import subprocess

import pytest

import running
from client import fetch

SUPPORTED = ["3.10", "3.11", "3.12", "3.13", "3.14"]
OLDER = ["3.8", "3.9"]


@functools.cache
def find(version: str) -> str | None:
    """The executable of a Python of that version, on the PATH or under pyenv."""
    places = sorted(pathlib.Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for candidate in [shutil.which(f"python{version}"), *places]:
        if candidate is None:
            continue
        asked = subprocess.run(
            [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True, text=True, timeout=20, check=False,
        )
        # A placeholder on the PATH may know the name only.
        if asked.stdout.strip() == version:
            return str(candidate)
    return None


def python(version: str) -> str:
    found = find(version)
    if found is None:
        pytest.skip(f"there is no Python {version} here")
    return found


UPLOAD = (
    b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nvalue\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
    b"Content-Type: application/x-a\r\n\r\n\0\xff\r\n\r\n--b--\r\n"
)

EVERYTHING = """
    import json, sys, uuid
    from wptserve.handlers import json_handler
    from wptserve.utils import isomorphic_decode

    @json_handler
    def main(request, response):
        upload = request.POST.first(b"file")
        key = str(uuid.uuid4())
        request.server.stash.put(key, {b"bytes": [1, None]})
        response.set_cookie("c", "v", max_age=60)
        return {
            "version": "%d.%d" % sys.version_info[:2],
            "get": isomorphic_decode(request.GET.first("q")),
            "text": isomorphic_decode(request.POST.first(b"text")),
            "file": isomorphic_decode(upload.file.read()),
            "filename": upload.filename,
            "type": upload.headers["Content-Type"],
            "cookie": isomorphic_decode(request.cookies.first(b"k").value),
            "header": isomorphic_decode(request.headers.get(b"x-h")),
            "user": isomorphic_decode(request.auth.username),
            "stash": request.server.stash.take(key) == {b"bytes": [1, None]},
            "port": request.url_parts.port,
        }
"""


@pytest.mark.parametrize("version", SUPPORTED)
def test_a_handler_that_uses_everything(serve, write, version):
    write("everything.py", EVERYTHING)
    server = serve(python=python(version))
    answer = fetch(server, "/everything.py?q=%E9", "POST", UPLOAD, {
        "Content-Type": "multipart/form-data; boundary=b", "Cookie": "k=v; l=w", "X-H": "h",
        "Authorization": "Basic dTpw",
    })
    assert (answer.status, server.log()) == (200, ""), answer.body
    assert answer.headers["Set-Cookie"].startswith("c=v; ")
    assert json.loads(answer.body) == {
        "version": version, "get": "\xe9", "text": "value", "file": "\0\xff\r\n",
        "filename": "a.bin", "type": "application/x-a", "cookie": "v", "header": "h", "user": "u",
        "stash": True, "port": server.port,
    }


@pytest.mark.parametrize("version", SUPPORTED)
def test_failures_and_a_stop(serve, write, version):
    path = write("fails.py", "def main(request, response):\n    raise ValueError('mine')\n")
    write("syntax.py", "def main(:\n")
    write("recurses.py", "def main(request, response):\n    return main(request, response)\n")
    write("says.py", "def main(request, response):\n    print('said')\n    return 'x'\n")
    server = serve(python=python(version))
    for name in ("fails", "syntax", "recurses"):
        answer = fetch(server, f"/{name}.py")
        assert answer.status == 500
        assert json.loads(answer.body)["error"]["code"] == 500
    assert server.log().startswith(f"error: {path}:2 failed for ")
    assert fetch(server, "/says.py").body == b"x"
    code, seconds = server.stop()
    assert code == 0 and seconds < 2
    assert server.printed().endswith("said\n")


@pytest.mark.parametrize("version", OLDER)
def test_an_older_python_is_refused_by_name(doc_root, version):
    executable = python(version)
    result = running.run(doc_root, "--port", 0, "--python", executable)
    assert (result.returncode, result.stdout) == (6, "")
    assert re.fullmatch(
        rf"error: the Python of --python cannot be used: {re.escape(executable)} is Python "
        rf"{re.escape(version)}\.\d+, older than 3\.10; name one of version 3\.10 or newer\n",
        result.stderr,
    )


def test_an_older_python_on_the_path_is_passed_over(serve, write, tmp_path):
    """`python3` may be too old and `python` not."""
    write("a.py", "def main(request, response):\n    return 'x'\n")
    old = python(OLDER[-1])
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, target in (("python3", old), ("python", running.python())):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec "{target}" "$@"\n')
        script.chmod(0o755)
    server = serve(python=None, env={"PATH": str(folder)})
    assert fetch(server, "/a.py").body == b"x"
