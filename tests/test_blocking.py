"""What takes long, or waits for a disk, holds up nobody else."""

import contextlib
import gzip
import json
import mmap
import os
import threading
import time

import pytest

import hung_file_system
import running
from client import connect, fetch, get, head, read_to_end

# The promise is one second; the rest is for a machine that has other work to do.
PATIENCE = 2.0
MEMORY = 150 * 1024 * 1024
GIB = 1024**3


@pytest.fixture
def root(doc_root, write):
    """A document root with something small for the others."""
    write("small.txt", "small")
    write("small.py", "def main(request, response): return 'handled'\n")
    write("small.sub.txt", "{{GET[a]}}")
    return doc_root


def sparse(path, size: int) -> None:
    """A file of zeros that takes no room."""
    with open(path, "wb") as file:
        file.truncate(size)


def check_others(server: running.Server) -> None:
    """Others are answered."""
    for _ in range(3):
        assert fetch(server, "/small.txt").body == b"small"
        assert fetch(server, "/small.py").body == b"handled"
        assert fetch(server, "/small.sub.txt?a=b").body == b"b"


def is_unanswered(connection) -> bool:
    """Whether nothing has come yet."""
    connection.read(0.05)
    return connection.received == b"" and not connection.ended


def check_stop(server: running.Server) -> None:
    code, seconds = server.stop()
    assert code == 0
    assert seconds < PATIENCE


@pytest.mark.parametrize("codec", ["gzip", "deflate", "br", "zstd", "slice(1)|gzip"])
def test_others_are_answered_while_a_large_file_is_compressed(serve, root, codec):
    sparse(root / "large.bin", 64 * GIB)
    server = serve()
    with connect(server) as connection:
        connection.send(get(f"/large.bin?pipe={codec}"))
        assert is_unanswered(connection)
        check_others(server)
        assert is_unanswered(connection)
        assert server.peak_memory() < MEMORY
        check_stop(server)


def test_others_are_answered_while_a_large_template_is_rendered(serve, root):
    sparse(root / "large.sub.txt", 64 * GIB)
    server = serve("--handler-timeout", "2")
    with connect(server) as connection:
        connection.send(get("/large.sub.txt", "Connection: close"))
        assert is_unanswered(connection)
        check_others(server)
        assert b" 504 " in read_to_end(connection)
    assert server.peak_memory() < MEMORY


def test_expressions_of_a_large_template_are_substituted(serve, root):
    text = b"x" * 65_530 + b"{{GET[a]}}" + b"y" * 300_000 + b"{{GET[a]}} {{"
    (root / "large.sub.txt").write_bytes(text)
    answer = fetch(serve(), "/large.sub.txt?a=%C3%A9")
    assert answer.body == text.replace(b"{{GET[a]}}", "é".encode())


def test_compressed_content_beyond_memory_is_whole(serve, root):
    content = os.urandom(3_000_000)
    (root / "random.bin").write_bytes(content)
    answer = fetch(serve(), "/random.bin?pipe=gzip")
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert gzip.decompress(answer.body) == content


def test_several_ranges_of_a_large_file_are_all_that_is_read(serve, root):
    sparse(root / "large.bin", 5 * GIB)
    with open(root / "large.bin", "r+b") as file:
        file.write(b"0123456789")
        file.seek(4 * GIB)
        file.write(b"far")
    server = serve()
    ranges = f"bytes=0-1,5-6,{4 * GIB}-{4 * GIB + 2}"
    answer = fetch(server, "/large.bin", headers={"Range": ranges})
    assert answer.status == 206
    parts = [part.split(b"\r\n\r\n")[1] for part in answer.body.split(b"\r\n--")[1:-1]]
    assert parts == [b"01", b"56", b"far"]
    assert server.peak_memory() < MEMORY


def test_many_ranges_that_are_large_take_no_memory(serve, root):
    (root / "file.bin").write_bytes(b"x" * 250_000)
    server = serve()
    with connect(server) as connection:
        connection.send(get("/file.bin", "Range: bytes=" + ",".join(["0-249999"] * 3000)))
        check_others(server)
        assert server.peak_memory() < MEMORY


@pytest.mark.parametrize("pipe", ["slice(0,1000000000000000000)", "slice(5)|slice(0)", "trickle(1:d1)"])
def test_a_slice_of_a_large_file_is_not_read_before_it_is_sent(serve, root, pipe):
    sparse(root / "large.bin", 5 * GIB)
    server = serve()
    with connect(server) as connection:
        connection.send(get(f"/large.bin?pipe={pipe}"))
        connection.read(1)
        assert connection.received.startswith(b"HTTP/1.1 200 ")
        check_others(server)
        assert server.peak_memory() < MEMORY


def test_a_script_is_injected_into_a_large_document_without_reading_it(root, tmp_path):
    (root / "resources").mkdir()
    (root / "resources/testharness.js").write_text("")
    ports = {"http": ["auto"], "https": [], "ws": [], "wss": [], "h2": []}
    (root / "config.json").write_text(json.dumps({"ports": ports, "check_subdomains": False}))
    script = tmp_path / "script.js"
    script.write_text("injected()")
    document = b"<!doctype html><p>" + b"x" * 700_000
    (root / "large.html").write_bytes(document)
    work = tmp_path / "server"
    work.mkdir()
    server = running.start(root, work, "--inject-script", script, command="wpt", port=None)
    try:
        body = fetch(server, "/large.html").body
        assert body.startswith(b"<!doctype html><script>\ninjected()")
        assert body.endswith(document.removeprefix(b"<!doctype html>"))
    finally:
        server.end()


def test_a_listing_of_many_names_holds_up_nobody(serve, root):
    (root / "many").mkdir()
    for number in range(20_000):
        os.mknod(root / "many" / f"{number}.txt")
    server = serve()
    with connect(server) as connection:
        connection.send(get("/many/", "Connection: close"))
        check_others(server)
        assert read_to_end(connection).count(b"<li class=\"file\">") == 20_000


def test_a_chain_of_codecs_is_bounded(serve, root):
    server = serve()
    answer = fetch(server, "/small.txt?pipe=" + "|".join(["gzip"] * 3000))
    assert answer.status == 500
    assert b"at most 32 may change the content" in answer.body
    assert fetch(server, "/small.py?pipe=" + "|".join(["gzip"] * 3000)).status == 500


def test_work_whose_time_is_up_ends(serve, root):
    sparse(root / "large.bin", 64 * GIB)
    server = serve("--handler-timeout", "1")
    assert fetch(server, "/large.bin?pipe=gzip").status == 504
    check_others(server)
    deadline = time.monotonic() + 10
    while True:
        before = cpu(server)
        time.sleep(0.3)
        if cpu(server) - before <= 2:
            break
        assert time.monotonic() < deadline, "the work goes on"


def cpu(server: running.Server) -> int:
    """How many ticks of CPU time a server has used."""
    stat = (running.SYSTEM_PROC / str(server.process.pid) / "stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return int(user) + int(system)


def pipes_in(root) -> dict[str, int]:
    """Named pipes in all places where files are looked for: what to ask for, and the status."""
    for name in (
        "pipe.txt", "pipe.py", "pipe.asis", "pipe.sub.html", "own.txt.headers",
        "template.txt.sub.headers", "folder/__dir__.headers", "scripts/default.py", "beside.bin",
    ):
        (root / name).parent.mkdir(exist_ok=True)
        os.mkfifo(root / name)
    for name in ("own.txt", "template.txt", "folder/file.txt"):
        (root / name).write_text("text")
    (root / "hash.sub.txt").write_text("{{file_hash(md5, beside.bin)}}")
    (root / "link.txt").symlink_to(root / "pipe.txt")
    return {
        "/pipe.txt": 404, "/pipe.py": 404, "/pipe.asis": 404, "/pipe.sub.html": 404,
        "/link.txt": 404, "/pipe.txt?pipe=gzip": 404, "/pipe.txt/below.txt": 404,
        "/pipe.txt/below.py": 404, "/own.txt": 200, "/template.txt": 200,
        "/folder/file.txt": 200, "/hash.sub.txt": 500,
    }


def test_a_named_pipe_is_not_there(serve, root):
    expected = pipes_in(root)
    server = serve()
    assert {path: fetch(server, path).status for path in expected} == expected
    check_others(server)


def test_a_named_pipe_holds_up_no_start(root, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (root / "resources").mkdir()
    (root / "resources/testharness.js").write_text("")
    for command in (
        ("--config", pipe), ("wpt", "--config", pipe), ("wpt", "--alias_file", pipe),
        ("wpt", "--inject-script", pipe),
    ):
        result = running.run(*command, root)
        assert result.returncode != 0
        assert "not a regular file" in result.stderr


needs_mount = pytest.mark.skipif(
    not hung_file_system.can_be_mounted(), reason="a file system can be mounted by root alone"
)


@needs_mount
@pytest.mark.parametrize(
    "target",
    [
        "a.txt", "a.txt?pipe=gzip", "a.txt?pipe=sub", "a.txt?pipe=trickle(1)", "a.asis", "a.py",
        "", "a.any.html",
    ],
)
@pytest.mark.parametrize("last", [None, hung_file_system.OPEN])
def test_a_file_system_that_does_not_answer_holds_up_nobody(serve, root, target, last):
    (root / "hung").mkdir()
    server = serve()
    check_others(server)
    with hung_file_system.HungFileSystem(root / "hung", 10_000_000, last) as file_system:
        with contextlib.ExitStack() as stack:
            for _ in range(5):
                connection = stack.enter_context(connect(server))
                connection.send(get(f"/hung/{target}"))
            if target.startswith("a.txt"):
                assert file_system.hangs.wait(10)
            check_others(server)
            check_stop(server)


@needs_mount
def test_a_file_that_cannot_be_read_on_ends_in_time(serve, root):
    (root / "hung").mkdir()
    server = serve("--handler-timeout", "1")
    with hung_file_system.HungFileSystem(
        root / "hung", 10_000_000, hung_file_system.READ
    ) as file_system:
        with connect(server) as connection:
            connection.send(get("/hung/a.txt"))
            assert file_system.hangs.wait(10)
            # The head was sent before the read; the rest does not come.
            answer = read_to_end(connection)
            assert b"Content-Length: 10000000" in answer
        check_others(server)


def test_the_length_is_that_of_the_file_that_is_sent(serve, root):
    for length in (300_000, 400_000):
        (root / f"{length}.bin").write_bytes(b"x" * length)
    link = root / "now.bin"
    link.symlink_to("300000.bin")
    server = serve()
    done = threading.Event()

    def swap():
        while not done.is_set():
            for length in (400_000, 300_000):
                new = root / "new"
                new.symlink_to(f"{length}.bin")
                new.rename(link)

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        for _ in range(300):
            # A length that cannot be kept is an error of the client's here.
            assert len(fetch(server, "/now.bin").body) in (300_000, 400_000)
    finally:
        done.set()
        swapping.join()


def test_a_change_through_a_shared_mapping_is_seen_before_long(serve, root):
    path = root / "mapped.txt"
    path.write_bytes(b"one")
    server = serve()
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 3) as mapping:
        # From now on the page may be written without a trace in the file's times.
        mapping[:] = b"two"
        time.sleep(0.3)
        for _ in range(5):
            assert fetch(server, "/mapped.txt").body == b"two"
        before = os.stat(path)
        mapping[:] = b"new"
        assert os.stat(path).st_ctime_ns == before.st_ctime_ns
        deadline = time.monotonic() + 10
        while fetch(server, "/mapped.txt").body != b"new":
            assert time.monotonic() < deadline


def test_a_head_request_and_keep_alive_behind_work(serve, root):
    (root / "random.bin").write_bytes(os.urandom(500_000))
    server = serve()
    with connect(server) as connection:
        connection.send(
            head("HEAD", "/random.bin?pipe=gzip") + get("/random.bin?pipe=slice(1,4)")
            + get("/small.txt", "Connection: close")
        )
        assert read_to_end(connection).endswith(b"\r\n\r\nsmall")
