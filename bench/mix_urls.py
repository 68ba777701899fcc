"""The URLs of real tests with their resources, read from the sources of a web-platform-tests checkout.

Which tests: the order is that of a hash of the path, so that the choice is the same everywhere and
hardly changes as the checkout grows. What a page loads is found in its text, not by running it: the
references of its markup, of `fetch` and its like, and those of the documents and scripts it names.
"""
import hashlib
import os
import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

# Folders at the top of a checkout that hold no tests.
NO_TESTS = {"resources", "tools", "docs", "common", "fonts", "images", "media", "infrastructure",
            "interfaces", "conformance-checkers", "old-tests"}
# And at any depth.
HELPERS = {"resources", "support", "reference", "references", "tools"}
TEST = re.compile(rb"/resources/testharness\.js|rel=[\"']?(?:mis)?match")
# Source suffix → the page that is made of it, and what else that page loads.
GENERATED = {".any.js": (".any.html", ".any.worker.html", ".any.worker.js"),
             ".window.js": (".window.html",), ".worker.js": (".worker.html",)}
HARNESS = ("/resources/testharness.js", "/resources/testharnessreport.js")

REFERENCES = [re.compile(pattern) for pattern in (
    # An attribute of markup; rel=match and the like are of no interest to a browser.
    r"""<(?:script|img|iframe|frame|embed|video|audio|source|track|input)\b[^>]*?"""
    r"""\ssrc\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""",
    r"""<link\b(?=[^>]*rel=["']?(?:stylesheet|icon|preload|manifest|import)\b)[^>]*?"""
    r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""",
    r"""<object\b[^>]*?\sdata\s*=\s*(?:"([^"]*)"|'([^']*)')""",
    # A string that a script loads from.
    r"""\b(?:fetch|importScripts|Worker|SharedWorker|Request|EventSource|open)"""
    r"""\(\s*(?:["']GET["']\s*,\s*)?(?:"([^"\s]+)"|'([^'\s]+)')""",
    # Of modules, only those that are named by a path.
    r"""\b(?:from\s|import\b\s*\(?)\s*(?:"([./][^"\s]*)"|'([./][^'\s]*)')""",
    r"""\.src\s*=\s*(?:"([^"\s]+)"|'([^'\s]+)')""",
    r"""\burl\(\s*(?:"([^")]+)"|'([^')]+)'|([^\s"')]+))""",
    r"""//\s*META:\s*script=(\S+)""",
)]
# What is read in its turn; images and the harness itself are not.
READ_ON = (".html", ".htm", ".xhtml", ".js", ".css", ".svg")
DEPTH = 2
LARGEST_SOURCE = 200_000


def tests(root, count):
    """The first `count` tests in the order of the hash: a list of [the test's URL, resource, …]."""
    candidates = []
    for folder, below, files in os.walk(root):
        here = Path(folder).relative_to(root)
        below[:] = [name for name in below if name[0] != "." and name not in HELPERS
                    and not (here == Path() and name in NO_TESTS)]
        if here != Path():
            candidates += [f"{here.as_posix()}/{name}" for name in files if is_candidate(name)]
    candidates.sort(key=lambda path: hashlib.sha1(path.encode()).digest())
    chosen = []
    for path in candidates:
        if len(chosen) == count:
            break
        source = (root / path).read_bytes()
        if is_generated(path) or TEST.search(source[:LARGEST_SOURCE]):
            chosen.append(urls_of(root, path))
    return chosen


def is_candidate(name):
    if is_generated(name):
        return True
    stem, _, suffix = name.rpartition(".")
    # Tests for encrypted origins and for HTTP/2 are not for the port that is asked.
    flags = set(stem.split(".")[1:])
    return suffix in ("html", "htm", "xhtml", "xht") and not (
        flags & {"https", "h2"} or stem.endswith(("-ref", "-manual", "-notref")))


def is_generated(name):
    return name.endswith(tuple(GENERATED)) and not {"https", "h2"} & set(name.split("."))


def urls_of(root, path):
    """A test's URL and those of all that it loads from its own origin, each once."""
    suffix = next((suffix for suffix in GENERATED if path.endswith(suffix)), None)
    if suffix is None:
        found = {f"/{path}": None}
    else:
        stem = f"/{path.removesuffix(suffix)}"
        found = dict.fromkeys([stem + made for made in GENERATED[suffix]] + [*HARNESS, f"/{path}"])
    pending = [(f"/{path}", f"/{path}" if suffix is None else next(iter(found)), 0)]
    while pending:
        source, base, depth = pending.pop(0)
        for url in references(root, source, base):
            if url not in found:
                found[url] = None
                if depth + 1 < DEPTH and reads_on(url):
                    pending.append((urlsplit(url).path, url, depth + 1))
    return list(found)


def reads_on(url):
    return urlsplit(url).path.endswith(READ_ON) and not url.startswith("/resources/testharness")


def references(root, source, base):
    """The URLs, as paths, that the file of a path refers to."""
    file = root / source.lstrip("/")
    try:
        text = file.read_bytes()[:LARGEST_SOURCE].decode("utf-8", "replace")
    except OSError:
        return []
    found = []
    for reference in REFERENCES:
        for match in reference.finditer(text):
            written = next((group for group in match.groups() if group), "").strip()
            url = resolved(written, base)
            if url:
                found.append(url)
    return found


def resolved(written, base):
    """As a path and query of the same origin; None where it is of another one, or no plain URL."""
    if not written or any(mark in written for mark in ("{{", "${", "`", "\\", " ", "<", "|")):
        return None
    # Names of modules, and data.
    parts = urlsplit(written)
    if parts.scheme or parts.netloc or not written.isascii():
        return None
    url = urljoin(base, written).partition("#")[0]
    return url if url.startswith("/") and ".." not in url else None
