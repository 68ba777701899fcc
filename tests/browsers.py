"""Firefox and WebKitGTK without a person: one page at a time, and what its harness or title says."""

import contextlib
import itertools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

START_TIMEOUT = 60.0
MINI_BROWSERS = sorted(pathlib.Path("/usr").glob("lib*/**/webkit2gtk-*/MiniBrowser"))


class Firefox:
    """One Firefox, spoken to in WebDriver BiDi."""

    def __init__(self, url: str) -> None:
        self._open = contextlib.ExitStack()
        self._socket = self._open.enter_context(
            connect(url, max_size=None, open_timeout=START_TIMEOUT))
        self._numbers = itertools.count(1)
        self.command("session.new", capabilities={})
        tree = self.command("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    def command(self, method: str, **parameters: object) -> dict:
        """Sends a command and waits for its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=START_TIMEOUT))
            if message.get("id") == number:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['message']}")
                return message["result"]

    def navigate(self, url: str) -> None:
        """Begins to load a page."""
        self.command("browsingContext.navigate", context=self._context, url=url, wait="none")

    def evaluate(self, expression: str) -> str | None:
        """The text that an expression gives in the page."""
        result = self.command("script.evaluate", expression=expression, awaitPromise=False,
                              target={"context": self._context})
        return result.get("result", {}).get("value")


    def end(self) -> None:
        """Ends the connection; the browser is a process of its own."""
        self._open.close()


class WebKitGtk:
    """One MiniBrowser, spoken to through WebKitWebDriver."""

    def __init__(self, port: int, binary: pathlib.Path) -> None:
        self._url = f"http://127.0.0.1:{port}"
        options = {"binary": str(binary), "args": ["--automation"]}
        capabilities = {"pageLoadStrategy": "none", "webkitgtk:browserOptions": options}
        session = self._ask("/session", capabilities={"alwaysMatch": capabilities})
        self._url += f"/session/{session['sessionId']}"

    def _ask(self, path: str, **parameters: object) -> dict:
        request = urllib.request.Request(
            self._url + path, json.dumps(parameters).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=START_TIMEOUT) as response:
            return json.load(response)["value"]

    def navigate(self, url: str) -> None:
        """Begins to load a page."""
        self._ask("/url", url=url)

    def evaluate(self, expression: str) -> str | None:
        """The text that an expression gives in the page."""
        return self._ask("/execute/sync", script=f"return {expression}", args=[])

    def end(self) -> None:
        """Ends the browser."""
        request = urllib.request.Request(self._url, method="DELETE")
        urllib.request.urlopen(request, timeout=START_TIMEOUT).close()


def told(browser: Firefox | WebKitGtk, url: str, expression: str, limit: float) -> str | None:
    """What an expression gives in a page once it gives a text; nothing when the time is over."""
    # What still stands there is not to be taken for the page.
    browser.navigate("about:blank")
    _answer(browser, "location.href === 'about:blank' ? 'blank' : null", START_TIMEOUT)
    browser.navigate(url)
    return _answer(browser, f"location.href === 'about:blank' ? null : ({expression})", limit)


def _answer(browser: Firefox | WebKitGtk, expression: str, limit: float) -> str | None:
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        # Between two documents there is none to ask.
        with contextlib.suppress(RuntimeError, OSError):
            answer = browser.evaluate(expression)
            if answer is not None:
                return answer
        time.sleep(0.05)
    return None


@contextlib.contextmanager
def firefox(binary: str, arguments: list[str], work: pathlib.Path) -> Iterator[Firefox]:
    """A Firefox with these arguments, which name its profile."""
    port = _free_port()
    command = [binary, "--headless", "--no-remote", f"--remote-debugging-port={port}", *arguments]
    home = work / "home"
    home.mkdir(exist_ok=True)
    with _process(command, work / "firefox.log", HOME=str(home)) as process:
        browser = _once_it_answers(process, lambda: Firefox(f"ws://127.0.0.1:{port}/session"))
        try:
            yield browser
        finally:
            browser.end()


@contextlib.contextmanager
def webkitgtk(command: list[str], work: pathlib.Path) -> Iterator[WebKitGtk]:
    """A MiniBrowser; `command` becomes the program behind it."""
    port = _free_port()
    with _display(work) as display:
        driver = [*command, "WebKitWebDriver", f"--port={port}"]
        with _process(driver, work / "webkit.log", DISPLAY=display, LIBGL_ALWAYS_SOFTWARE="1",
                      HOME=str(work)) as process:
            browser = _once_it_answers(process, lambda: WebKitGtk(port, MINI_BROWSERS[-1]))
            try:
                yield browser
            finally:
                with contextlib.suppress(OSError):
                    browser.end()


def missing(*programs: str) -> str | None:
    """Which of the programs is not installed."""
    return next((f"{program} is not installed" for program in programs
                 if not shutil.which(program)), None)


@contextlib.contextmanager
def _display(work: pathlib.Path) -> Iterator[str]:
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x768x24", "-nolisten", "tcp"]
    with _process(command, work / "display.log", pass_fds=(writing,)):
        os.close(writing)
        with os.fdopen(reading) as told_number:
            yield f":{told_number.readline().strip()}"


@contextlib.contextmanager
def _process(command: list[str], log: pathlib.Path, pass_fds: tuple[int, ...] = (),
             **variables: str) -> Iterator[subprocess.Popen]:
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   env={**os.environ, **variables}, pass_fds=pass_fds)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _once_it_answers(process: subprocess.Popen, attempt):
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            return attempt()
        except (OSError, WebSocketException):
            if time.monotonic() > deadline or process.poll() is not None:
                raise
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
