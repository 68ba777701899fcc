"""The testharness pages of a web-platform-tests tree, as its manifest would name them."""

import dataclasses
import functools
import html
import pathlib
import random
import re
from urllib.parse import parse_qs, quote, unquote, urlsplit

# Folders whose files are never tests.
_NO_TESTS = {"resources", "support", "tools"}
_MARKUP = {".html", ".htm", ".xhtml", ".xht", ".svg", ".xml"}
_META = re.compile(rb"//\s*META:\s*(\w*)=(.*)$")
_HARNESS = re.compile(r"<(?:\w+:)?script\b[^>]*\bsrc\s*=\s*[\"']?/resources/testharness\.js", re.IGNORECASE)
_META_ELEMENT = re.compile(r"<(?:\w+:)?meta\b[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b(name|content)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.IGNORECASE)
_REFERENCE = re.compile(r"(^|[-_])(not)?ref[0-9]*([-_]|$)")

# What `// META: global=` can name: the page's suffix in place of `.any.js`.
_SUFFIXES = {
    "window": ".any.html",
    "dedicatedworker": ".any.worker.html",
    "dedicatedworker-module": ".any.worker-module.html",
    "sharedworker": ".any.sharedworker.html",
    "sharedworker-module": ".any.sharedworker-module.html",
    "serviceworker": ".any.serviceworker.html",
    "serviceworker-module": ".any.serviceworker-module.html",
}
_GROUPS = {"": ["window", "dedicatedworker"],
           "worker": ["dedicatedworker", "sharedworker", "serviceworker"]}

# What makes a test one about the server: handlers, templates, headers, pipes, other hosts.
_SERVER_SIDE = re.compile(r"\.py\b|\.sub\.|pipe=|get-host-info|get_host_info|\{\{|[Ww]orker\(|\.asis")


@dataclasses.dataclass(frozen=True)
class Page:
    """One page to load: its URL without the origin, and what the manifest says of it."""

    url: str
    # "http", "https" or "h2": on which port it is loaded.
    scheme: str
    # What stands before the browser host: nothing, or the label and its dot.
    label: str
    # Whether it has a minute instead of ten seconds.
    long: bool
    # Whether it needs a driver behind the page.
    driven: bool
    # Whether it asks more of the server than files.
    server_side: bool


def pages_below(root: pathlib.Path, prefix: str) -> list[Page]:
    """The pages whose path starts with `prefix`, a folder or the start of its name, sorted."""
    start = root / prefix.rpartition("/")[0]
    found = []
    for path in start.rglob("*"):
        if path.relative_to(root).as_posix().startswith(prefix) and path.is_file():
            found += pages_of(root, path.relative_to(root))
    return sorted(found, key=lambda page: page.url)


def pages_named(root: pathlib.Path, urls: list[str]) -> list[Page]:
    """The pages of these URLs, in their order. A URL that is no test of the tree is an error."""
    known: dict[str, Page] = {}
    for folder in {_folder(url) for url in urls}:
        for path in (root / folder).iterdir():
            if path.is_file():
                known |= {page.url: page for page in pages_of(root, path.relative_to(root))}
    missing = [url for url in urls if url not in known]
    if missing:
        raise SystemExit(f"{len(missing)} are no tests of {root}, such as {missing[0]}")
    return [known[url] for url in urls]


def _folder(url: str) -> str:
    return unquote(urlsplit(url).path).rpartition("/")[0].lstrip("/")


def pages_of(root: pathlib.Path, path: pathlib.Path) -> list[Page]:
    """The pages that one file of the tree makes."""
    flags = path.stem.split(".")[1:]
    kind = path.stem.rpartition("-")[2].split(".")[0] if "-" in path.stem else ""
    if (
        path.name.startswith((".", "MANIFEST"))
        or path.parts[0] == "common"
        or _NO_TESTS & set(path.parts)
        or kind in {"manual", "visual", "crash", "print"}
        or "crashtests" in path.parts
        or "reference" in path.parts[:-1]
        or _REFERENCE.search(path.stem)
    ):
        return []
    if path.suffix == ".js" and {"any", "window", "worker"} & set(flags):
        return _script_pages(root, path, flags)
    if path.suffix in _MARKUP:
        return _markup_pages(root, path)
    return []


def select(root: pathlib.Path, prefix: str, count: int | None, seed: int) -> list[Page]:
    """`count` pages below a prefix that need no driver, those about the server first; or all."""
    pages = [page for page in pages_below(root, prefix) if not page.driven]
    if count is None or count >= len(pages):
        return pages
    chosen = random.Random(f"{seed} {prefix}")
    first = [page for page in pages if page.server_side]
    rest = [page for page in pages if not page.server_side]
    chosen.shuffle(first)
    chosen.shuffle(rest)
    # A quarter of the others, so that plain pages are there too.
    others = rest[:max(count // 4, count - len(first))]
    return sorted(others + first[:count - len(others)], key=lambda page: page.url)


def _script_pages(root: pathlib.Path, path: pathlib.Path, flags: list[str]) -> list[Page]:
    meta = list(_script_metadata(root / path))
    base = "/" + path.as_posix()
    if "any" in flags:
        named = next((value for key, value in meta if key == "global"), "")
        kinds: list[str] = []
        for item in [item.strip() for item in named.split(",")]:
            kinds += _GROUPS.get(item, [item])
        base = base.replace(".any.", ".")
        # A kind without a page, such as a shell, runs in no browser.
        suffixes = [_SUFFIXES[kind] for kind in dict.fromkeys(kinds) if kind in _SUFFIXES]
        urls = [base.removesuffix(".js") + suffix for suffix in suffixes]
    else:
        urls = [base.removesuffix(".js") + ".html"]
    scripts = [value for key, value in meta if key == "script"]
    text = (root / path).read_text(errors="replace")
    return _pages(
        root, path, urls,
        variants=[value for key, value in meta if key == "variant"],
        long=("timeout", "long") in meta,
        text=text + "\n".join(scripts),
    )


def _markup_pages(root: pathlib.Path, path: pathlib.Path) -> list[Page]:
    text = (root / path).read_text(errors="replace")
    if not _HARNESS.search(text):
        return []
    meta: list[tuple[str, str]] = []
    for element in _META_ELEMENT.findall(text):
        attributes = {m[1].lower(): html.unescape(m[2] or m[3] or m[4] or "")
                      for m in _ATTRIBUTE.finditer(element)}
        if "name" in attributes:
            meta.append((attributes["name"].lower(), attributes.get("content", "")))
    return _pages(
        root, path, ["/" + path.as_posix()],
        variants=[value for key, value in meta if key == "variant"],
        long=any(key == "timeout" and value.lower() == "long" for key, value in meta),
        text=text,
    )


def _pages(
    root: pathlib.Path, path: pathlib.Path, urls: list[str],
    variants: list[str], long: bool, text: str,
) -> list[Page]:
    has_headers = any(
        (root / path.parent / name).exists()
        for name in (f"{path.name}.headers", f"{path.name}.sub.headers", "__dir__.headers")
    )
    server_side = bool(has_headers or ".sub." in path.name or _SERVER_SIDE.search(text))
    driven = "testdriver" in text or "test_driver" in text or _helper_is_driven(root, path, text)
    found = []
    for path_and_query in (quote(url) + variant for url in urls for variant in variants or [""]):
        parts = urlsplit(path_and_query)
        named = {*parts.path.rpartition("/")[2].split(".")[1:-1],
                 *parse_qs(parts.query).get("wpt_flags", [])}
        secure = named & {"https", "serviceworker", "serviceworker-module"}
        scheme = "h2" if "h2" in named else "https" if secure else "http"
        label = "www." if "www" in named else ""
        found.append(Page(path_and_query, scheme, label, long, driven, server_side))
    return found


def _helper_is_driven(root: pathlib.Path, path: pathlib.Path, text: str) -> bool:
    """Whether a script the page names beside itself, or in the tree, speaks to a driver."""
    names = set(re.findall(r"[\w./-]+\.js\b", text))
    return any(
        _is_driven(root / name.lstrip("/") if name.startswith("/") else root / path.parent / name)
        for name in names
        if not name.startswith("/resources/")
    )


@functools.cache
def _is_driven(script: pathlib.Path) -> bool:
    try:
        return "test_driver" in script.read_text(errors="replace")
    except OSError:
        return False


def _script_metadata(path: pathlib.Path) -> list[tuple[str, str]]:
    """The META lines, which end at the first line of another kind."""
    found = []
    with path.open("rb") as file:
        for line in file:
            match = _META.match(line)
            if match is None:
                break
            found.append((match[1].decode(), match[2].decode().strip()))
    return found
