"""The package as it is installed: the command, a neighbour of the same name, its types."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from server_harness import OURS

import wptserve

PACKAGE = Path(wptserve.__file__ or "").parent

pytestmark = pytest.mark.skipif(
    not OURS or not (PACKAGE / "py.typed").is_file(), reason="ours, from its wheel"
)


def run(*arguments, **variables):
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def beside(tmp_path):
    """A directory with the package and another distribution's name."""
    shutil.copytree(PACKAGE, tmp_path / "wptserve", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "wptserve-4.0.3.dist-info").mkdir()
    return tmp_path


def test_a_neighbour_is_named(beside):
    for arguments in (["-m", "wptserve", "--version"], ["-c", "import wptserve.server"]):
        said = run(*arguments, PYTHONPATH=str(beside)).stderr
        assert "the distribution wptserve 4.0.3 is installed beside wptserve-rs" in said
        assert "pip uninstall wptserve wptserve-rs" in said


def test_without_a_neighbour_nothing_is_said(beside):
    os.rename(beside / "wptserve-4.0.3.dist-info", beside / "wptserve_rs-0.1.0.dist-info")
    for arguments in (["-m", "wptserve", "--version"], ["-c", "import wptserve.server"]):
        found = run(*arguments, PYTHONPATH=str(beside))
        assert (found.returncode, found.stderr) == (0, "")


def test_the_command_tells_of_a_python_that_cannot_be_used(tmp_path):
    for variables, arguments in (({}, ["--python", "no-such"]), ({"WPTSERVE_PYTHON": "no-such"}, [])):
        found = run("-m", "wptserve", *arguments, str(tmp_path), **variables)
        assert found.returncode == 6
        assert "no-such cannot be run" in found.stderr


def test_the_command_becomes_the_python_that_is_asked_for(tmp_path):
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nexport OTHER=1\nexec "{sys.executable}" "$@"\n')
    other.chmod(0o755)
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if os.environ.get('OTHER') and '-I' not in sys.orig_argv:\n"
        "    sys.stderr.write('the other\\n')\n"
        "    os._exit(7)\n"
    )
    # It says that it is another executable, as a virtual environment's does.
    fake = tmp_path / "fake"
    fake.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = -I ]; then printf "3.11.0\\n%s\\n" ' + f'"{other}"; else exec {other} "$@"; fi\n'
    )
    fake.chmod(0o755)
    found = run("-m", "wptserve", "--python", str(fake), "-p", "0", str(tmp_path), PYTHONPATH=str(tmp_path))
    assert (found.returncode, found.stderr) == (7, "the other\n")


RIGHT = '''
from wptserve.types import Request, Response

def main(request: Request, response: Response) -> bytes:
    name: bytes = request.GET.first(b"name", b"world")
    response.headers.set("Content-Type", "text/plain")
    response.status = (200, "OK")
    response.set_cookie(b"seen", b"yes", max_age=5)
    request.server.stash.put(request.GET[b"key"], {"method": request.method})
    return b"hello " + name + request.body
'''

WRONG = '''
from wptserve.types import Request, Response

def main(request: Request, response: Response) -> bytes:
    text: str = request.body
    response.headers.set("X-Name", object())
    response.status = "200"
    request.headers.get("x").startswith("y")
    return "hello " + request.headers["name"]
'''


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_a_type_checker_tells_text_from_bytes(tmp_path):
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text(WRONG)
    check = ["-m", "mypy", "--strict", "--no-incremental", "--python-executable", sys.executable]
    right = run(*check, str(tmp_path / "right.py"))
    assert right.returncode == 0, right.stdout + right.stderr
    wrong = run(*check, str(tmp_path / "wrong.py")).stdout
    lines = sorted({line.split(":")[1] for line in wrong.splitlines() if ": error:" in line})
    assert lines == ["5", "6", "7", "8", "9"], wrong


def test_a_checkouts_serve_finds_a_pywebsocket3_with_a_server(tmp_path):
    folder = tmp_path / "tools" / "serve"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "serve.py").write_text(
        "from wptserve import server as wptserve, handlers\n"
        "from pywebsocket3 import standalone as pywebsocket\n"
        "options, _ = pywebsocket._parse_args_and_config(['-p', '0', '-H', '127.0.0.1'])\n"
        "options.cgi_directories, options.is_executable_method = [], None\n"
        "server = pywebsocket.WebSocketServer(options)\n"
        "print([socket.getsockname()[0] for socket, _ in server._sockets], wptserve.__file__)\n"
    )
    found = run("-c", "import serve.serve", PYTHONPATH=str(folder.parent))
    assert found.returncode == 0, found.stderr
    assert found.stdout == f"['127.0.0.1'] {PACKAGE / 'server.py'}\n"
