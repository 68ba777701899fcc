"""`wptserve exec`: a Python command, with our modules in place of those it brings."""

import pathlib
import subprocess
import textwrap

import pytest

import running

COMMAND = """
    import multiprocessing, os, sys

    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "vendored"))
    import wptserve
    from wptserve import server

    def name():
        return server.WebTestHttpd.__module__, wptserve.__file__.split("/")[0]

    if __name__ == "__main__":
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(name(), pool.apply(name))
        sys.exit(7)
"""


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with a command and the `wptserve` that it brings."""
    folder = tmp_path / "checkout"
    vendored = folder / "vendored" / "wptserve"
    vendored.mkdir(parents=True)
    (vendored / "__init__.py").write_text("raise RuntimeError('the vendored one was loaded')\n")
    (folder / "command.py").write_text(textwrap.dedent(COMMAND))
    return folder


@pytest.fixture
def execute(tmp_path: pathlib.Path):
    """Runs `wptserve exec` with a cache of its own."""

    def execute(*command: object, **variables: str) -> subprocess.CompletedProcess:
        cache = str(tmp_path / "cache")
        return running.run("exec", "--", *command, XDG_CACHE_HOME=cache, **variables)

    return execute


def test_a_command_and_its_processes_find_our_modules(execute, checkout):
    result = execute(running.python(), checkout / "command.py")
    ours = "('wptserve.server', '<embedded>')"
    assert (result.returncode, result.stdout) == (7, f"{ours} {ours}\n")


def test_what_was_replaced_is_told_once(execute, checkout):
    result = execute(running.python(), checkout / "command.py")
    (line,) = result.stderr.splitlines()
    assert line.startswith("wptserve exec: wptserve ")
    assert line.endswith(f" takes the place of the modules in {checkout}/vendored/wptserve")


def test_a_command_without_the_modules_hears_nothing(execute):
    result = execute(running.python(), "-c", "print('hello')")
    assert (result.returncode, result.stdout, result.stderr) == (0, "hello\n", "")


def test_the_users_own_path_and_start_file_stay(execute, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("STARTED = True\n")
    (own / "found.py").write_text("VALUE = 1\n")
    program = "import sitecustomize, found; print(sitecustomize.STARTED, found.VALUE)"
    result = execute(running.python(), "-c", program, PYTHONPATH=str(own))
    assert (result.returncode, result.stdout, result.stderr) == (0, "True 1\n", "")


def test_a_command_that_is_missing(execute, tmp_path):
    result = execute(tmp_path / "missing")
    assert running.failed(result, 1) == (
        f"{tmp_path}/missing cannot be started: No such file or directory (os error 2)"
    )


SERVES_WITHOUT_STANDARD_DESCRIPTORS = """
    import os, sys

    for number in range(3):
        os.close(number)
    from wptserve import server

    httpd = server.WebTestHttpd(host="127.0.0.1", port=0, doc_root=os.getcwd())
    httpd.start()
    with open(sys.argv[1], "w") as file:
        file.write(" ".join(os.readlink(f"/proc/self/fd/{number}") for number in range(3)))
    httpd.stop()
    os._exit(0)
"""


def test_no_socket_takes_the_number_of_a_closed_standard_descriptor(execute, checkout, tmp_path):
    command = checkout / "serves.py"
    command.write_text(textwrap.dedent(SERVES_WITHOUT_STANDARD_DESCRIPTORS))
    assert execute(running.python(), command, tmp_path / "said").returncode == 0
    assert (tmp_path / "said").read_text() == "/dev/null /dev/null /dev/null"
