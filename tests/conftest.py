"""A document root per test, and servers over it that end with the test."""

import pathlib
import resource
import sys
import textwrap
from collections.abc import Callable, Iterator

import pytest

HERE = pathlib.Path(__file__).resolve().parent
# The conformance suite's raw connections and its notion of which binary is under test.
for folder in (HERE.parent / "conformance", HERE):
    sys.path.insert(0, str(folder))

import running  # noqa: E402

# What a failing assertion in it compares is worth seeing.
pytest.register_assert_rewrite("client")


def pytest_configure() -> None:
    """Let one test hold a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard > soft:
        wanted = 8192 if hard == resource.RLIM_INFINITY else min(hard, 8192)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    """Where servers keep the user's data: never in the data of who runs the tests."""
    folder = tmp_path_factory.mktemp("data").resolve()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder))
        yield folder


@pytest.fixture
def doc_root(tmp_path: pathlib.Path) -> pathlib.Path:
    """An empty document root."""
    root = tmp_path.resolve() / "root"
    root.mkdir()
    return root


@pytest.fixture
def write(doc_root: pathlib.Path) -> Callable[[str, str], pathlib.Path]:
    """Write a file of the document root; the source may be indented."""

    def write(name: str, source: str) -> pathlib.Path:
        path = doc_root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        return path

    return write


@pytest.fixture
def serve(
    doc_root: pathlib.Path, tmp_path: pathlib.Path
) -> Iterator[Callable[..., running.Server]]:
    """Start a server over the document root. What was started is ended with the test."""
    started: list[running.Server] = []

    def serve(*options: str, **settings: object) -> running.Server:
        work = tmp_path / f"server{len(started)}"
        work.mkdir()
        server = running.start(doc_root, work, *options, **settings)
        started.append(server)
        return server

    yield serve
    for server in started:
        server.end()
