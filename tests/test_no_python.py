"""Without any Python the engine runs by itself, and says what is missing."""

import json
import os
import subprocess

import pytest

import running
from client import connect, fetch, get, responses, statuses


@pytest.fixture
def native(serve, tmp_path) -> running.Server:
    """A server that finds no Python."""
    empty = tmp_path / "empty"
    empty.mkdir()
    return serve(python=None, env={"PATH": str(empty)})


def test_the_process_is_the_binary_and_has_no_children(native):
    pid = native.process.pid
    assert os.path.realpath(f"/proc/{pid}/exe") == running.binary()
    with open(f"/proc/{pid}/maps") as maps:
        assert "python" not in maps.read()
    children = f"/proc/{pid}/task/{pid}/children"
    if os.path.exists(children):
        with open(children) as file:
            assert file.read() == ""


def test_static_files(native, write):
    write("a.html", "<p>a</p>")
    answer = fetch(native, "/a.html")
    assert (answer.status, answer.body) == (200, b"<p>a</p>")
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.headers["Content-Length"] == "8"


def test_a_directory_listing(native, write):
    write("folder/b.txt", "b")
    answer = fetch(native, "/folder/")
    assert answer.status == 200
    assert b'<a href="/folder/b.txt">b.txt</a>' in answer.body or b'href="b.txt"' in answer.body
    redirect = fetch(native, "/folder")
    assert (redirect.status, redirect.headers["Location"]) == (
        301, f"{native.ready['url']}folder/"
    )


def test_an_asis_file(native, doc_root):
    content = b"HTTP/1.1 299 As It Is\r\nX-Own: 1\r\nContent-Length: 2\r\n\r\nok"
    (doc_root / "a.asis").write_bytes(content)
    with connect(native) as connection:
        connection.send(get("/a.asis"))
        responses(connection, 1)
        assert connection.received == content


def test_a_handler_is_answered_by_the_reason_and_the_remedy(native, write):
    write("a.py", "def main(request, response):\n    return 'x'\n")
    answer = fetch(native, "/a.py")
    assert answer.status == 501
    assert answer.headers["Content-Type"] == "application/json"
    error = json.loads(answer.body)["error"]
    assert error["code"] == 501
    assert error["message"].startswith(
        "Python file handlers cannot be run: no Python of version 3.10 or newer: "
        "python3 cannot be run (No such file or directory (os error 2)); "
        "python cannot be run ("
    )
    assert error["message"].endswith(
        "Install Python 3.10 or newer, or name one with --python."
    )


def test_the_source_of_a_handler_is_not_served(native, write):
    write("a.py", "SECRET = 1")
    for path in ("/a.py", "/a.%70y", "/./a.py", "//a.py", "/a.py?x"):
        answer = fetch(native, path)
        assert answer.status != 200 and b"SECRET" not in answer.body, path


def test_a_connection_is_kept_through_it_all(native, write):
    write("a.txt", "a")
    write("a.py", "")
    with connect(native) as connection:
        connection.send(get("/a.txt") + get("/a.py") + get("/missing") + get("/a.txt"))
        assert statuses(responses(connection, 4)) == [b"200", b"501", b"404", b"200"]


def test_the_working_directory_is_the_default(write, doc_root, tmp_path, native):
    native.end()
    ready = tmp_path / "ready.json"
    process = subprocess.Popen(
        [running.binary(), "--port", "0", "--ready-file", str(ready)],
        cwd=doc_root, env=running.environment(PATH=""), stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    try:
        write("a.txt", "a")
        running.wait_until(ready.exists, what="a ready file")
        server = running.Server(process, json.loads(ready.read_text()), tmp_path)
        assert fetch(server, "/a.txt").body == b"a"
    finally:
        process.terminate()
        process.wait(10)
