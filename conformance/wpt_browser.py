"""Run real web-platform-tests in headless Chromium against a server, and compare two such runs.

    python wpt_browser.py select --wpt-root WPT fetch/api:70 xhr:60 … > tests.txt
    python wpt_browser.py run --wpt-root WPT --server READY --tests tests.txt --out ours.json
    python wpt_browser.py compare serve.json ours.json

READY is the ready file of a running server: `wptserve wpt --ready-file`, or
`wpt_serve.py`. The browser gets the flags that `--browser-args` prints, so
that neither the hosts file nor a trust store matters; without it the tool
makes those flags from the ports that it finds. Every page has a browser context
of its own. `compare` runs what differs twice more on both servers, which must
still be there, and lists what is left.
"""

import argparse
import collections
import contextlib
import dataclasses
import json
import pathlib
import queue
import shlex
import subprocess
import sys
import tempfile
import threading
import time

from chromium import Chromium, Failed, Gone
from wpt_environment import Environment
from wpt_outcomes import Outcome, in_words, normalised
from browser_pages import Page, pages_named, select

# Beside what the page allows itself, for the browser's own start and a busy machine.
GRACE = 8.0
PAGES_PER_BROWSER = 60
RETRIES = 2

# Tells through the binding how the page's own harness ended, or that it has none.
_REPORT = """(() => {
  if (window !== window.top) return;
  const tell = window.__told, stringify = JSON.stringify;
  delete window.__told;
  addEventListener("DOMContentLoaded", () => {
    if (typeof add_completion_callback !== "function") return;
    add_completion_callback((tests, status) => tell(stringify({
      status: status.status, message: status.message,
      subtests: tests.map(test => [test.name, test.status, test.message]),
    })));
  }, true);
  addEventListener("load", () => {
    if (typeof add_completion_callback !== "function") tell("{}");
  }, true);
})()"""


def load(browser: Chromium, url: str, limit: float) -> Outcome:
    """Loads one page in a context of its own and waits for its harness."""
    context = browser.command("Target.createBrowserContext")["browserContextId"]
    try:
        page = browser.command("Target.createTarget", url="about:blank", browserContextId=context)
        attached = browser.command("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        session = attached["sessionId"]
        for domain in ("Page", "Inspector", "Runtime"):
            browser.command(f"{domain}.enable", session)
        browser.command("Runtime.addBinding", session, name="__told")
        browser.command("Page.addScriptToEvaluateOnNewDocument", session, source=_REPORT)
        asked = browser.send("Page.navigate", session, url=url)
        return _outcome(browser, session, asked, time.monotonic() + limit)
    finally:
        with contextlib.suppress(Failed):
            browser.command("Target.disposeBrowserContext", browserContextId=context)


def _outcome(browser: Chromium, session: str, asked: int, deadline: float) -> Outcome:
    while (event := browser.event(deadline)) is not None:
        if event.get("sessionId") != session:
            continue
        method, parameters = event.get("method"), event.get("params", {})
        if event.get("id") == asked and (why := event.get("result", {}).get("errorText")):
            return Outcome("NOT LOADED", why)
        if method == "Runtime.bindingCalled" and parameters["name"] == "__told":
            return Outcome.told(json.loads(parameters["payload"]))
        if method == "Page.javascriptDialogOpening":
            browser.send("Page.handleJavaScriptDialog", session, accept=False)
        if method == "Inspector.targetCrashed":
            return Outcome("CRASH", "")
    return Outcome("NO END", "the page did not end in its time")


@dataclasses.dataclass
class Runner:
    """How pages are run against one server."""

    environment: Environment
    binary: str
    flags: list[str]
    parallel: int

    def run(self, pages: list[Page], log: bool = True) -> dict[str, Outcome]:
        """The outcome of every page, by its URL without the origin."""
        todo: queue.SimpleQueue[Page] = queue.SimpleQueue()
        for page in pages:
            todo.put(page)
        outcomes: dict[str, Outcome] = {}

        def tell(page: Page, outcome: Outcome) -> None:
            outcomes[page.url] = outcome
            if log:
                print(f"{len(outcomes):4}/{len(pages)} {in_words(outcome):32} {page.url}", flush=True)

        threads = [threading.Thread(target=self._work, args=(todo, tell))
                   for _ in range(min(self.parallel, len(pages)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {page.url: outcomes[page.url] for page in pages}

    def _work(self, todo: queue.SimpleQueue, tell) -> None:
        """Takes pages until none is left, with a fresh browser now and then."""
        while not todo.empty():
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
                browser = Chromium(self.binary, self.flags, pathlib.Path(work))
                try:
                    for _ in range(PAGES_PER_BROWSER):
                        page = todo.get_nowait()
                        try:
                            outcome = load(browser, self.environment.url(page),
                                           (60 if page.long else 10) + GRACE)
                        except (Gone, Failed) as error:
                            tell(page, Outcome("BROWSER", str(error)))
                            break
                        tell(page, normalised(outcome, self.environment))
                except queue.Empty:
                    return
                finally:
                    browser.close()


def run(arguments: argparse.Namespace) -> int:
    """`run`: the pages of a list, or below prefixes, against one server."""
    root = arguments.wpt_root.resolve()
    pages = _listed(root, arguments)
    runner = _runner(vars(arguments))
    started = time.monotonic()
    outcomes = runner.run(pages)
    arguments.out.write_text(json.dumps({
        "wpt_root": str(root),
        "server": str(arguments.server.resolve()),
        "browser_args": arguments.browser_args,
        "browser": arguments.browser,
        "flags": runner.flags,
        "seconds": round(time.monotonic() - started, 1),
        "pages": {url: dataclasses.asdict(outcome) for url, outcome in outcomes.items()},
    }, indent=1))
    _print_counts({arguments.out.name: outcomes})
    return 0


def compare(arguments: argparse.Namespace) -> int:
    """`compare`: two runs of the same pages; 0 when none differs in the end."""
    runs = [json.loads(path.read_text()) for path in arguments.results]
    sides = [{url: Outcome(**value) for url, value in run["pages"].items()} for run in runs]
    names = [path.name for path in arguments.results]
    shared = [url for url in sides[0] if url in sides[1]]
    differing = [url for url in shared if sides[0][url] != sides[1][url]]
    _print_counts({name: {url: side[url] for url in shared} for name, side in zip(names, sides)})
    print(f"{len(shared)} pages on both, {len(differing)} with another outcome")
    tries = [[side] for side in sides]
    if not arguments.no_retry:
        runners = [_runner({**run, "server": pathlib.Path(run["server"]),
                            "parallel": arguments.parallel}) for run in runs]
        for _ in range(RETRIES):
            again = pages_named(pathlib.Path(runs[0]["wpt_root"]), differing)
            for of_side, runner in zip(tries, runners):
                of_side.append(runner.run(again, log=False))
            differing = [url for url in differing if tries[0][-1][url] != tries[1][-1][url]]
        print(f"{len(differing)} after {RETRIES} more tries on both")
    explained = {}
    for url in differing:
        outcomes = [[one[url] for one in of_side if url in one] for of_side in tries]
        # What one server gives now and then, the other may give too.
        flaky = any(theirs == own for theirs in outcomes[0] for own in outcomes[1])
        lines = _differences(names, outcomes[0][-1], outcomes[1][-1])
        explained[url] = {"flaky": flaky, "differences": lines}
        print("\n".join([f"{url}{' (flaky)' if flaky else ''}", *(f"    {line}" for line in lines)]))
    if arguments.out:
        arguments.out.write_text(json.dumps(explained, indent=1, ensure_ascii=False))
    return 1 if differing else 0


def _differences(names: list[str], one: Outcome, other: Outcome) -> list[str]:
    lines = []
    if (one.status, one.message) != (other.status, other.message) and one.status != other.status:
        lines += [f"{name}: {side.status} {side.message or ''}"[:300]
                  for name, side in zip(names, (one, other))]
    for subtest in dict.fromkeys([*one.subtests, *other.subtests]):
        found = [side.subtests.get(subtest, "MISSING") for side in (one, other)]
        if found[0] != found[1]:
            lines.append(f"{subtest[:120]!r}: {found[0]} -> {found[1]}")
            lines += [f"  {name}: {side.messages[subtest][:300]}"
                      for name, side in zip(names, (one, other)) if side.messages.get(subtest)]
    return lines


def _print_counts(runs: dict[str, dict[str, Outcome]]) -> None:
    for name, outcomes in runs.items():
        harness = collections.Counter(outcome.status for outcome in outcomes.values())
        subtests = collections.Counter(
            status for outcome in outcomes.values() for status in outcome.subtests.values()
        )
        print(f"{name}: {len(outcomes)} pages {dict(harness.most_common())}; "
              f"{subtests.total()} subtests {dict(subtests.most_common())}")


def _runner(values: dict) -> Runner:
    environment = Environment.of_ready_file(values["server"])
    if values["browser_args"]:
        printed = subprocess.run(shlex.split(values["browser_args"]), check=True,
                                 capture_output=True, text=True).stdout
        flags = shlex.split(printed)
    else:
        flags = environment.flags()
    return Runner(environment, values["browser"], flags, values["parallel"])


def _listed(root: pathlib.Path, arguments: argparse.Namespace) -> list[Page]:
    lists = [pathlib.Path(name) for name in arguments.tests if pathlib.Path(name).is_file()]
    urls = [line for path in lists for line in path.read_text().split("\n") if line]
    prefixes = [name for name in arguments.tests if not pathlib.Path(name).is_file()]
    return pages_named(root, urls) + _selected(root, prefixes, arguments.seed)


def _selected(root: pathlib.Path, prefixes: list[str], seed: int) -> list[Page]:
    pages: dict[str, Page] = {}
    for prefix in prefixes:
        name, _, count = prefix.partition(":")
        pages |= {page.url: page for page in select(root, name, int(count) if count else None, seed)}
    return list(pages.values())


def main(argv: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    tree = argparse.ArgumentParser(add_help=False)
    tree.add_argument("--wpt-root", type=pathlib.Path, required=True)
    tree.add_argument("--seed", type=int, default=1, help="which pages are chosen (1)")
    browsers = argparse.ArgumentParser(add_help=False)
    browsers.add_argument("--parallel", type=int, default=2, help="how many browsers (2)")

    choose = commands.add_parser("select", parents=[tree], help="print the URLs of test pages")
    choose.add_argument("tests", nargs="+", metavar="PREFIX[:COUNT]")
    choose.set_defaults(act=lambda given: print(
        "\n".join(page.url for page in _selected(given.wpt_root.resolve(), given.tests, given.seed))))

    one = commands.add_parser("run", parents=[tree, browsers], help="run pages against a server")
    one.add_argument("--server", type=pathlib.Path, required=True, help="its ready file")
    one.add_argument("--tests", nargs="+", required=True, metavar="FILE|PREFIX[:COUNT]")
    one.add_argument("--out", type=pathlib.Path, required=True)
    one.add_argument("--browser", default="chromium", help="the binary (chromium)")
    one.add_argument("--browser-args", default="", metavar="COMMAND",
                     help="a command that prints the flags about hosts and certificates")
    one.set_defaults(act=run)

    two = commands.add_parser("compare", parents=[browsers], help="compare two runs")
    two.add_argument("results", nargs=2, type=pathlib.Path)
    two.add_argument("--no-retry", action="store_true")
    two.add_argument("--out", type=pathlib.Path, help="where what is left goes, as JSON")
    two.set_defaults(act=compare)

    arguments = parser.parse_args(argv)
    return arguments.act(arguments) or 0


if __name__ == "__main__":
    sys.exit(main())
