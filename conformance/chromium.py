"""Headless Chromium, spoken to in the DevTools protocol over a pair of pipes."""

import collections
import fcntl
import json
import os
import pathlib
import select
import signal
import time

# What a run without a person needs. Nothing here is about hosts or certificates.
_FLAGS = [
    "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu",
    "--disable-popup-blocking", "--disable-component-update", "--disable-default-apps",
    "--disable-background-networking", "--disable-sync", "--mute-audio",
    "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows", "--disable-dev-shm-usage",
]
# Contexts of their own are incognito profiles, which block third-party cookies unless told not to.
_PREFERENCES = {"profile": {"cookie_controls_mode": 0}}


class Gone(Exception):
    """The browser ended or stopped to answer."""


class Failed(Exception):
    """The browser refused a command."""


class Chromium:
    """One browser with a profile of its own in `work`. Not for several threads."""

    def __init__(self, binary: str, flags: list[str], work: pathlib.Path) -> None:
        profile = work / "profile"
        (profile / "Default").mkdir(parents=True)
        (profile / "Default" / "Preferences").write_text(json.dumps(_PREFERENCES))
        theirs_in, self._commands = os.pipe()
        self._answers, theirs_out = os.pipe()
        # Above 9, so that neither is in the other's place when they become 3 and 4.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs_in, theirs_out)]
        log = str(work / "chromium.log")
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        # The profile comes last and counts, whichever the flags name.
        command = [binary, *_FLAGS, *root, *flags, f"--user-data-dir={profile}", "about:blank"]
        self._pid = os.posix_spawnp(
            binary, command, os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, ends[0], 3),
                (os.POSIX_SPAWN_DUP2, ends[1], 4),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setpgroup=0,
        )
        for end in (theirs_in, theirs_out, *ends):
            os.close(end)
        self._buffer = bytearray()
        self._number = 0
        self._events: collections.deque[dict] = collections.deque()

    def command(
        self, method: str, session: str | None = None, limit: float = 30.0, **parameters: object
    ) -> dict:
        """Sends a command and waits for its result."""
        number = self.send(method, session, **parameters)
        deadline = time.monotonic() + limit
        while True:
            message = self._message(deadline)
            if message is None:
                raise Gone(f"no answer to {method}")
            if message.get("id") == number:
                if "error" in message:
                    raise Failed(f"{method}: {message['error'].get('message')}")
                return message["result"]
            self._events.append(message)

    def send(self, method: str, session: str | None = None, **parameters: object) -> int:
        """Sends a command and returns its number; its result is one of the events."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        try:
            while data:
                data = data[os.write(self._commands, data):]
        except OSError as error:
            raise Gone(str(error)) from None
        return self._number

    def event(self, deadline: float) -> dict | None:
        """The next event, or nothing when the time has come."""
        if self._events:
            return self._events.popleft()
        return self._message(deadline)

    def close(self) -> None:
        """Ends the browser and what it started."""
        try:
            self.send("Browser.close")
        except Gone:
            pass
        for end in (self._commands, self._answers):
            os.close(end)
        deadline = time.monotonic() + 5
        while os.waitpid(self._pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.killpg(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                return
            time.sleep(0.05)
        try:
            os.killpg(self._pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def _message(self, deadline: float) -> dict | None:
        scanned = 0
        while (end := self._buffer.find(b"\0", scanned)) < 0:
            scanned = len(self._buffer)
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._answers], [], [], left)[0]:
                return None
            data = os.read(self._answers, 1 << 16)
            if not data:
                raise Gone("the browser ended")
            self._buffer += data
        message = json.loads(self._buffer[:end])
        del self._buffer[:end + 1]
        return message
