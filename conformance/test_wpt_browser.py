"""The parts of the browser tool that need no browser: pages of a tree, outcomes, keys, flags."""

import pathlib

import pytest

from wpt_environment import Environment, _public_key
from wpt_outcomes import Outcome, normalised
from browser_pages import pages_below, pages_named, select

HARNESS = '<script src="/resources/testharness.js"></script>'
TREE = {
    "a/one.html": HARNESS,
    "a/no-harness.html": "<p>",
    "a/two.sub.https.html": f'<meta name=timeout content=long>{HARNESS}',
    "a/odd name+1.htm": f"<!doctype html>\n<SCRIPT SRC='/resources/testharness.js'></SCRIPT>",
    "a/variants.html": f'<meta name="variant" content="?x&amp;y"><meta name="variant" content="">{HARNESS}',
    "a/flags.html": f'<meta name="variant" content="?wss&amp;wpt_flags=https">{HARNESS}',
    "a/port.h2.window.js": "",
    "a/host.www.worker.js": "",
    "a/plain.any.js": "",
    "a/globals.https.any.js": "// META: global=window,worker,jsshell\n// META: timeout=long\n\n// META: global=\n",
    "a/modules.any.js": "// META: global=serviceworker-module\n",
    "a/driven.html": f'{HARNESS}<script src="helper.js"></script>',
    "a/helper.js": "test_driver.click()",
    "a/asks.html": f"{HARNESS}<script>fetch('echo.py')</script>",
    "a/by-hand-manual.html": HARNESS,
    "a/some-ref.html": HARNESS,
    "a/resources/frame.html": HARNESS,
    "a/frame.html.headers": "",
}
PAGES = {
    "/a/one.html": ("http", "", False),
    "/a/two.sub.https.html": ("https", "", True),
    "/a/odd%20name%2B1.htm": ("http", "", False),
    "/a/variants.html?x&y": ("http", "", False),
    "/a/variants.html": ("http", "", False),
    "/a/flags.html?wss&wpt_flags=https": ("https", "", False),
    "/a/port.h2.window.html": ("h2", "", False),
    "/a/host.www.worker.html": ("http", "www.", False),
    "/a/plain.any.html": ("http", "", False),
    "/a/plain.any.worker.html": ("http", "", False),
    "/a/globals.https.any.html": ("https", "", True),
    "/a/globals.https.any.worker.html": ("https", "", True),
    "/a/globals.https.any.sharedworker.html": ("https", "", True),
    "/a/globals.https.any.serviceworker.html": ("https", "", True),
    "/a/modules.any.serviceworker-module.html": ("https", "", False),
    "/a/driven.html": ("http", "", False),
    "/a/asks.html": ("http", "", False),
}
# Of a self-signed certificate: what stands before and in its SubjectPublicKeyInfo.
SPKI = b"\x30\x03\x03\x01\x00"
ENVIRONMENT = Environment({"http": [8000, 8001], "h2": [9000]})


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    for name, content in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_the_pages_of_a_tree_and_what_the_manifest_says_of_them(tree):
    pages = {page.url: page for page in pages_below(tree, "a")}
    assert {url: (page.scheme, page.label, page.long) for url, page in pages.items()} == PAGES
    assert [url for url, page in pages.items() if page.driven] == ["/a/driven.html"]
    assert pages["/a/asks.html"].server_side and not pages["/a/one.html"].server_side


def test_a_prefix_may_be_the_start_of_a_name(tree):
    assert [page.url for page in pages_below(tree, "a/one")] == ["/a/one.html"]


def test_pages_are_found_again_by_their_urls(tree):
    urls = list(PAGES)
    assert [page.url for page in pages_named(tree, urls)] == urls
    with pytest.raises(SystemExit, match="/a/gone.html"):
        pages_named(tree, ["/a/gone.html"])


def test_a_seed_chooses_the_same_pages_each_time_and_none_that_is_driven(tree):
    chosen = select(tree, "a", 9, seed=7)
    assert len(chosen) == 9 and chosen == select(tree, "a", 9, seed=7)
    assert "/a/driven.html" not in {page.url for page in select(tree, "a", None, seed=7)}


def test_an_outcome_keeps_subtests_of_one_name_apart():
    told = Outcome.told({"status": 0, "message": None,
                         "subtests": [["a", 0, None], ["a", 1, "no"], ["b", 3, None]]})
    assert told.subtests == {"a": "PASS", "a (2)": "FAIL", "b": "NOTRUN"}
    assert told.messages == {"a (2)": "no"}
    assert Outcome.told({}).status == "NO HARNESS"


def test_ports_and_random_ids_are_no_differences():
    name = "http://web-platform.test:8001/?6c1b6ac4-5d5f-4c88-9b3a-9b8f6f1f0c52 18000"
    outcome = normalised(Outcome("OK", None, {name: "PASS"}, {name: "9000"}), ENVIRONMENT)
    assert outcome.subtests == {"http://web-platform.test:http[1]/?UUID 18000": "PASS"}
    assert list(outcome.messages.values()) == ["h2[0]"]


def test_messages_do_not_make_outcomes_differ():
    assert Outcome("OK", None, {"a": "FAIL"}, {"a": "x"}) == Outcome("OK", "", {"a": "FAIL"}, {})


@pytest.mark.parametrize("version", [b"", b"\xa0\x03\x02\x01\x02"])
def test_the_key_of_a_certificate(version):
    # Serial number, signature, issuer, validity, subject, the key; lengths of one and of two bytes.
    fields = version + b"\x02\x01\x05" + b"\x30\x00" * 3 + b"\x30\x81\x80" + bytes(128) + SPKI
    body = b"\x30\x82" + len(fields).to_bytes(2) + fields
    assert _public_key(b"\x30\x82" + len(body).to_bytes(2) + body) == SPKI


def test_the_first_rule_that_fits_decides_so_missing_names_come_first():
    rules = Environment({"http": [1]}).flags()
    assert len(rules) == 1
    names = [rule.split()[1] for rule in rules[0].split("=", 1)[1].split(", ")]
    assert names.index("nonexistent.*") < names.index("*.web-platform.test")
