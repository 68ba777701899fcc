"""The two servers, the doc root they share, and the check that every case goes through."""

import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import servers  # noqa: E402
from case import Case  # noqa: E402
from compare import differences  # noqa: E402
from docroot_extras import build_doc_root  # noqa: E402
from expectations import Expectations  # noqa: E402
from normalise import normalise  # noqa: E402
from routing_config import routing_config  # noqa: E402
from wire import Outcome, Step, exchange  # noqa: E402
from wpt_config import CONFIG  # noqa: E402

SUBJECT = os.environ.get("SUBJECT", "ours")


@dataclasses.dataclass
class Pair:
    """The subject and the reference, with what may differ between them."""

    subject: servers.Server
    reference: servers.Server
    expectations: Expectations

    def check(self, case: Case) -> None:
        """Carry the case out on both at once; fail on any difference nobody intended."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            reference, ours = pool.map(lambda s: run(case, s), [self.reference, self.subject])
        wrong = self.expectations.judge(case.id, differences(reference, ours), ours)
        if wrong:
            pytest.fail("\n".join([f"{case.id}:", *wrong]), pytrace=False)


def run(case: Case, server: servers.Server) -> Outcome:
    """One case against one server, normalised."""
    port = str(server.port).encode()
    steps = [Step(step.data.replace(b"@PORT@", port), step.responses) for step in case.steps]
    outcome = exchange(
        server.address, steps, list(case.methods), case.quiet, case.probe, case.half_close,
        case.patience, server.encryption,
    )
    return normalise(outcome, server, case.mask)


@contextlib.contextmanager
def start_pair(work: pathlib.Path, doc_root: pathlib.Path, config: dict | None = None):
    """Subject and reference over one doc root, with one config."""
    config = config and {"doc_root": str(doc_root), **config}
    if SUBJECT == "ours":
        subject = servers.start_ours(doc_root, work, config=config)
    elif SUBJECT == "wptserve":
        subject = servers.start_reference(doc_root, work, "subject", config=config)
    else:
        raise pytest.UsageError(f"SUBJECT={SUBJECT}: 'ours' or 'wptserve'")
    with servers.start_reference(doc_root, work, config=config) as reference, subject as subject:
        yield subject, reference


@pytest.fixture(scope="session")
def expectations() -> Expectations:
    """The intended differences; the reference has none with itself."""
    return Expectations.load(HERE / "expectations.toml") if SUBJECT == "ours" else Expectations()


@pytest.fixture(scope="session")
def doc_root(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The doc root that all servers of a run share."""
    work = tmp_path_factory.mktemp("conformance").resolve()
    return build_doc_root(HERE / "docroot", work / "docroot")


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory, doc_root, expectations):
    """Both servers, started once."""
    work = tmp_path_factory.mktemp("servers").resolve()
    with start_pair(work, doc_root) as (subject, reference):
        yield Pair(subject, reference, expectations)


@pytest.fixture(scope="session")
def configured_pair(tmp_path_factory: pytest.TempPathFactory, doc_root, expectations):
    """Both servers with hosts, subdomains and ports as a real tree has them."""
    work = tmp_path_factory.mktemp("configured").resolve()
    with start_pair(work, doc_root, CONFIG) as (subject, reference):
        yield Pair(subject, reference, expectations)


@pytest.fixture(scope="session")
def routed_pair(tmp_path_factory: pytest.TempPathFactory, doc_root, expectations):
    """Both servers with routes, rewrites and aliases of their own."""
    work = tmp_path_factory.mktemp("routed").resolve()
    with start_pair(work, doc_root, routing_config(work)) as (subject, reference):
        yield Pair(subject, reference, expectations)


@pytest.fixture(params=["subject", "reference"])
def server(request: pytest.FixtureRequest, pair: Pair) -> servers.Server:
    """Each of the two servers in turn, for what no single exchange shows."""
    return getattr(pair, request.param)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stale entries are judged when all cases have run."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker of the test that runs last."""
    config.addinivalue_line("markers", "last: runs after all others")


@pytest.fixture
def case_ids(request: pytest.FixtureRequest) -> set[str]:
    """The ids of all collected cases."""
    callspecs = [getattr(item, "callspec", None) for item in request.session.items]
    return {c.params["case"].id for c in callspecs if c and "case" in c.params}
