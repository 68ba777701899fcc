"""Generated pages and the routes of an environment: `wptserve wpt`.

With WPT_ROOT in the environment the cases are compared with the routes that this tree's own
`serve` module makes; else with the answers in `generated_answers.json`, for each edition of the
tests. RECORD=1 writes that file anew; what changes in it is then to be looked at.
"""

import contextlib
import json
import os
import pathlib

import pytest

import servers
from case import Case, get, request, send
from conftest import SUBJECT, Pair, run
from docroot_generated import HARNESSES, build_tree, edition_of
from wire import Outcome
from wpt_config import ENVIRONMENT_CONFIG
from wpt_pages import PAGES

WPT_ROOT = os.environ.get("WPT_ROOT")
ANSWERS = pathlib.Path(__file__).parent / "generated_answers.json"

_TEST262 = [
    ".test262.html", ".test262-test.html", ".test262-module.html", ".test262-module-test.html",
    ".test262.strict.html", ".test262-test.strict.html", ".test262.strict.js",
]


def _name(url: str) -> str:
    return url.strip("/").replace("/", "-")


def _pages() -> list[Case]:
    stems = {".any.js": ["a", "plain"], ".window.js": ["a"], ".worker.js": ["a"],
             ".extension.js": ["a"]}
    urls = [f"/{stem}{ending}" for source, endings in PAGES.items()
            for stem in stems[source] for ending in endings]
    urls += [f"/test262/{stem}{ending}" for ending in _TEST262
             for stem in ("plain", "negative", "module", "none", "x_FIXTURE", "missing")]
    return [get(f"generated-{_name(url)}", url) for url in urls]


CASES = [
    *_pages(),
    *[get(f"generated-exposure-{_name(url)}", url) for url in [
        "/only-window.any.html", "/only-window.any.worker.html", "/only-window.any.worker.js",
        "/only-worker.any.html", "/only-worker.any.worker.html", "/only-worker.any.sharedworker.html",
        "/no-scope.any.html", "/no-scope.any.sharedworker.html", "/unknown-scope.any.html",
        "/not-a-worker.worker.html", "/crlf-scope.any.sharedworker.html", "/crlf-scope.any.html",
        "/missing.any.worker-module.html",
    ]],
    *[get(f"generated-meta-{_name(url)}", url) for url in [
        "/empty.any.html", "/empty.window.html", "/crlf.any.html", "/crlf.any.worker.js",
        "/late.window.html", "/odd.window.html", "/utf-8.window.html",
        "/latin-1-late.window.html",
    ]],
    get("generated-query", "/a.any.worker.html?a=b%20c&d=\"'<>"),
    get("generated-query-of-a-window", "/a.window.html?a=b"),
    get("generated-query-empty", "/a.any.worker.html?"),
    get("generated-query-fragment", "/a.any.worker.html?a#b?c"),
    get("generated-query-in-a-script", "/a.any.worker.js?a"),
    get("generated-query-bytes", b"/a.any.worker.html?\xe9"),
    get("generated-pipe-status", "/a.window.html?pipe=status(201)|header(X-A,b)"),
    get("generated-pipe-slice", "/a.window.html?pipe=slice(0,20)"),
    get("generated-pipe-sub", "/host.sub.window.html?a=%3Cb%3E"),
    get("generated-pipe-sub-worker", "/host.sub.any.worker.html?a=b"),
    get("generated-pipe-sub-script", "/host.sub.any.worker.js?a=%22"),
    get("generated-pipe-after-sub", "/host.sub.window.html?a=b&pipe=slice(0,200)"),
    get("generated-fails-pipe", "/a.window.html?pipe=nothing"),
    get("generated-fails-template", "/bad.sub.window.html"),
    get("generated-fails-meta", "/latin-1.window.html"),
    get("generated-fails-headers", "/bad-headers.window.html"),
    get("generated-fails-headers-without-a-file", "/bad-headers-missing.window.html"),
    get("generated-fails-test262", "/test262/latin-1.test262-test.html"),
    get("generated-headers", "/headers.any.html"),
    get("generated-headers-of-a-script", "/headers.any.worker.js"),
    get("generated-headers-of-a-directory", "/folder/in.window.html"),
    get("generated-range", "/a.window.html", ("Range", "bytes=0-3")),
    get("generated-name-escaped", "/percent%2541.window.html"),
    get("generated-name-utf-8", "/%E5%A4%A9.window.html"),
    get("generated-missing", "/missing.window.html"),
    get("generated-missing-script", "/missing.any.worker.js"),
    get("generated-directory", "/directory.window.html"),
    get("generated-dots", "/folder/../a.window.html"),
    get("generated-slash", "/a.window.html/"),
    get("generated-covers-a-file", "/stands.window.html"),
    send("generated-head", request("/a.window.html", "HEAD")),
    send("generated-head-missing", request("/missing.window.html", "HEAD")),
    send("generated-post", request("/a.window.html", "POST")),
    get("generated-mounted", "/m/a.any.worker.html?x"),
    get("generated-mounted-script", "/m/a.any.worker.js"),
    get("generated-mounted-missing", "/m/plain.any.html"),
    get("generated-mounted-root", "/mounted/a.any.html"),
    get("generated-mounted-file", "/x.html"),
    get("environment-runner", "/tools/runner/index.html"),
    get("environment-tools", "/tools/x.html"),
    get("environment-tools-of-a-spec", "/spec/tools/x.html"),
    get("environment-certs", "/_certs/key.pem"),
    get("environment-results", "/results/"),
    get("environment-result", "/results/x.txt"),
    send("environment-tools-put", request("/tools/x.html", "PUT")),
    get("environment-rewrite", "/resources/WebIDLParser.js"),
    send("environment-rewrite-head", request("/resources/WebIDLParser.js", "HEAD")),
]
# Routes that came with the second edition.
NEWER = [
    send("environment-well-known", request("/.well-known/web-identity", "PUT")),
    get("environment-well-known-star", "/.well-known/private-aggregation/report"),
]


def _config(root: pathlib.Path) -> dict:
    aliases = [{"url-path": "/m/", "local-dir": str(root / "mounted")},
               {"url-path": "/x.html", "local-dir": str(root / "mounted")}]
    return {"doc_root": str(root), **ENVIRONMENT_CONFIG, "aliases": aliases}


EDITIONS = [edition_of(pathlib.Path(WPT_ROOT))] if WPT_ROOT else list(HARNESSES)
ASKED = [(edition, case) for edition in EDITIONS
         for case in CASES + (NEWER if edition != "workers" else [])]


@pytest.fixture(scope="session")
def environments(tmp_path_factory, expectations):
    """For each edition the server to ask; with a tree, both servers."""
    if SUBJECT != "ours":
        pytest.skip("there is nothing to compare the reference with")
    with contextlib.ExitStack() as stack:
        started = {}
        for edition in EDITIONS:
            work = tmp_path_factory.mktemp(edition).resolve()
            root = build_tree(work / "tree", edition)
            config = _config(root)
            ours = stack.enter_context(
                servers.start_ours(root, work, config=config, environment=True))
            reference = WPT_ROOT and stack.enter_context(servers.start_reference(
                root, work, config=config, wpt_root=pathlib.Path(WPT_ROOT).resolve()))
            started[edition] = Pair(ours, reference, expectations)
        yield started


@pytest.fixture(scope="session")
def recorded():
    """The recorded answers by edition and case; of older editions those that differ."""
    answers = {} if os.environ.get("RECORD") else json.loads(ANSWERS.read_text())
    yield answers
    if os.environ.get("RECORD"):
        ANSWERS.write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n")


@pytest.mark.parametrize(
    ("edition", "case"), ASKED, ids=[f"{edition}-{case.id}" for edition, case in ASKED])
def test_generated(environments, recorded, edition, case):
    pair = environments[edition]
    if WPT_ROOT:
        pair.check(case)
        return
    answer = _shown(run(case, pair.subject))
    of_edition, newest = recorded.setdefault(edition, {}), recorded.setdefault("newest", {})
    if os.environ.get("RECORD") and newest.setdefault(case.id, answer) != answer:
        of_edition[case.id] = answer
    assert answer == of_edition.get(case.id, newest[case.id])


def _shown(outcome: Outcome) -> dict:
    [response] = outcome.responses
    volatile = (b"date:", b"server:")
    return {
        "status": response.status.decode("latin-1"),
        "headers": [line.decode("latin-1") for line in response.headers
                    if not line.lower().startswith(volatile)],
        "body": response.body.decode("utf-8", "backslashreplace").split("\n"),
        "end": outcome.end,
    }
