"""Which Python runs the handlers, and what they find in it."""

import json
import pathlib
import stat
import subprocess
import venv

import pytest

import running
from client import fetch

PYTHON = 6

WHICH = """
    import sys
    def main(request, response):
        return sys.prefix
"""


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pathlib.Path]:
    """Virtual environments, to tell choices apart by `sys.prefix`."""
    folder = tmp_path_factory.mktemp("environments").resolve()
    made = {name: folder / name for name in ("option", "variable", "active", "path")}
    for path in made.values():
        venv.create(path, symlinks=True, with_pip=False)
    return made


def python_of(environment: pathlib.Path) -> str:
    return str(environment / "bin" / "python")


@pytest.mark.parametrize("chosen", ["option", "variable", "active", "path"])
def test_the_order_of_choice(serve, write, environments, chosen):
    write("which.py", WHICH)
    order = list(environments)
    given = {name: environments[name] for name in order[order.index(chosen):]}
    env = {"PATH": str(given["path"] / "bin")}
    if "variable" in given:
        env["WPTSERVE_PYTHON"] = python_of(given["variable"])
    if "active" in given:
        env["VIRTUAL_ENV"] = str(given["active"])
    python = python_of(given["option"]) if "option" in given else None
    server = serve(python=python, env=env)
    assert fetch(server, "/which.py").body.decode() == str(environments[chosen])


def test_a_broken_virtual_environment_has_a_substitute(serve, write, environments, tmp_path):
    write("which.py", WHICH)
    env = {"VIRTUAL_ENV": str(tmp_path / "gone"), "PATH": str(environments["path"] / "bin")}
    server = serve(python=None, env=env)
    assert fetch(server, "/which.py").body.decode() == str(environments["path"])


def test_python_is_taken_where_there_is_no_python3(serve, write, tmp_path):
    write("which.py", WHICH)
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nexec "{running.python()}" "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    server = serve(python=None, env={"PATH": str(folder)})
    assert fetch(server, "/which.py").status == 200


def test_the_working_directory_is_no_place_to_import_from(serve, write, tmp_path):
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    for name in ("planted.py", "json.py", "wptserve.py"):
        (cwd / name).write_text("raise SystemExit('planted')")
    write("imports.py", """
        import json, sys
        from wptserve.utils import isomorphic_encode
        def main(request, response):
            try:
                import planted
            except ImportError:
                return json.dumps(sys.path)
    """)
    answer = fetch(serve(cwd=cwd), "/imports.py")
    assert answer.status == 200
    assert str(cwd) not in json.loads(answer.body)
    assert "" not in json.loads(answer.body)


def test_the_document_root_is_first_on_the_path(serve, write, doc_root):
    write("helper/inside.py", "VALUE = 'found'")
    write("imports.py", """
        import sys
        from helper.inside import VALUE
        def main(request, response):
            return VALUE + sys.path[0]
    """)
    assert fetch(serve(), "/imports.py").body == f"found{doc_root}".encode()


def test_handlers_see_the_arguments_as_they_were_given(serve, write):
    write("arguments.py", """
        import json, sys
        def main(request, response):
            return json.dumps([sys.argv, sys.flags.isolated])
    """)
    server = serve("--max-body", 1000)
    argv, isolated = json.loads(fetch(server, "/arguments.py").body)
    assert argv == ["wptserve", *server.process.args[1:]]
    assert isolated == 0


def test_the_process_is_the_one_that_was_started(serve, write):
    write("pid.py", """
        import os
        def main(request, response):
            return str(os.getpid())
    """)
    server = serve()
    assert int(fetch(server, "/pid.py").body) == server.process.pid


@pytest.mark.parametrize("given, env, origin", [
    (["--python", "/no/such/python"], {}, "--python"),
    (["--python", "/bin/true"], {}, "--python"),
    ([], {"WPTSERVE_PYTHON": "/no/such/python"}, "WPTSERVE_PYTHON"),
])
def test_a_python_that_cannot_be_used(doc_root, given, env, origin):
    result = running.run(doc_root, "--port", 0, *given, **env)
    assert (result.returncode, result.stdout) == (PYTHON, "")
    assert result.stderr.startswith(f"error: the Python of {origin} cannot be used: ")
    assert result.stderr.endswith("; name one of version 3.10 or newer\n")


FREE_THREADED = """#!/bin/sh
printf '3.14.0\\n%s\\n.cpython-314t-x86_64-linux-gnu.so\\n' "$0"
"""


@pytest.fixture
def free_threaded(tmp_path):
    """What answers as a free-threaded Python does, for whom no extension was built."""
    script = tmp_path / "free" / "python3"
    script.parent.mkdir()
    script.write_text(FREE_THREADED)
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def test_a_free_threaded_python_needs_an_extension_of_its_own(doc_root, free_threaded):
    result = running.run(doc_root, "--port", 0, "--python", free_threaded)
    assert (result.returncode, result.stdout) == (PYTHON, "")
    assert result.stderr.startswith(
        f"error: {free_threaded} is a free-threaded Python 3.14.0, which has no stable ABI and "
        f"needs an extension of its own; `cargo xtask extension {free_threaded}` in the source"
    )
    assert "lib_wptserve.cpython-314t-x86_64-linux-gnu.so is missing beside " in result.stderr
    result = running.run("--version", "--python", free_threaded)
    assert result.stdout.splitlines()[1] == f"free-threaded Python 3.14.0 at {free_threaded}"


def test_a_free_threaded_python_that_nobody_asked_for(serve, write, free_threaded):
    write("which.py", WHICH)
    write("a.txt", "abc")
    server = serve(python=None, env={"PATH": str(free_threaded.parent)})
    assert fetch(server, "/a.txt").body == b"abc"
    answer = fetch(server, "/which.py")
    assert answer.status == 501
    assert f"{free_threaded} is a free-threaded Python 3.14.0".encode() in answer.body


def test_an_empty_variable_is_no_choice(serve, write, environments):
    write("which.py", WHICH)
    env = {"WPTSERVE_PYTHON": "", "PATH": str(environments["path"] / "bin")}
    assert fetch(serve(python=None, env=env), "/which.py").body.decode() == str(
        environments["path"]
    )


def test_version_names_the_python_of_the_option(environments):
    result = running.run("--version", "--python", python_of(environments["option"]))
    assert result.stdout.splitlines()[1].endswith(f" at {python_of(environments['option'])}")


def test_a_start_says_nothing_even_when_python_warns_of_everything(doc_root):
    result = subprocess.run(
        [running.binary(), str(doc_root), "--port", "0", "--python", running.python(),
         "--ready-file", str(doc_root / "missing" / "ready")],
        capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL,
        env=running.environment(PYTHONWARNINGS="default", PYTHONDEVMODE="1"),
    )
    assert result.stderr.splitlines()[0].startswith("error: the ready file "), result.stderr
