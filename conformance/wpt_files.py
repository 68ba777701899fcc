"""Find what a web-platform-tests tree serves without Python: templates, headers, pipes."""

import html
import os
import pathlib
import random
import re
from urllib.parse import quote, urljoin

# Sources whose strings are URLs that a page asks for.
_SOURCES = {
    ".html", ".htm", ".xht", ".xhtml", ".xml", ".svg", ".js", ".mjs", ".css", ".py", ".headers",
}
# The server's own tests and its documentation speak of pipes, but no page asks for them.
_NOT_SEARCHED = {"tools", "docs"}
_SCRIPTS = {".js", ".mjs", ".py"}
_PIPE = re.compile(rb"[?&](?:amp;)?pipe=")
# What cannot stand in a URL before its query, as far as the tree's own URLs go.
_BEFORE = re.compile(r"[^\s\"'`<>(),;]*$")
_JOINED = re.compile(r"\s*[+%]")
_ESCAPE = re.compile(r"\\(.)")


def tree_files(root: pathlib.Path) -> list[pathlib.Path]:
    """Every file of the tree below no dot directory but `.well-known`, relative to it, sorted."""
    found = []
    for directory, folders, names in os.walk(root):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") or name == ".well-known"
        )
        place = pathlib.Path(directory).relative_to(root)
        found += [place / name for name in sorted(names) if not name.startswith(".")]
    return found


def groups_of_urls(root: pathlib.Path, others: int, seed: int) -> dict[str, list[str]]:
    """The URLs to ask for, by the feature they show; no URL stands in two groups."""
    files = tree_files(root)
    groups = {
        "templates": [url_of(path) for path in files if ".sub." in path.name and _is_static(path)],
        "headers": header_targets(files),
        "asis": [url_of(path) for path in files if path.suffix == ".asis"],
        "pipes": piped_urls(root, files),
        "well-known": [url_of(path) for path in files if path.parts[0] == ".well-known"],
    }
    seen: set[str] = set()
    for name, urls in groups.items():
        groups[name] = sorted(set(urls) - seen)
        seen |= set(urls)
    rest = [url for url in map(url_of, filter(_is_static, files)) if url not in seen]
    groups["others"] = sorted(random.Random(seed).sample(rest, min(others, len(rest))))
    return groups


def _is_static(path: pathlib.Path) -> bool:
    return path.suffix != ".py"


def url_of(path: pathlib.Path) -> str:
    """The URL path of a file of the tree."""
    return "/" + quote(path.as_posix())


def header_targets(files: list[pathlib.Path]) -> list[str]:
    """What the tree's `.headers` files speak of, whether it is there or not."""
    targets = []
    for path in files:
        name = re.fullmatch(r"(.+?)(\.sub)?\.headers", path.name)
        if name is None:
            continue
        if name[1] == "__dir__":
            targets += [other for other in files if other.parent == path.parent]
        else:
            targets.append(path.with_name(name[1]))
    return [url_of(path) for path in targets if _is_static(path)]


def searched(files: list[pathlib.Path]) -> list[pathlib.Path]:
    """The sources whose strings are URLs that a page asks for."""
    return [
        path for path in files if path.parts[0] not in _NOT_SEARCHED and path.suffix in _SOURCES
    ]


def piped_urls(root: pathlib.Path, files: list[pathlib.Path]) -> list[str]:
    """URLs with a `pipe` parameter that stand in the tree's sources as whole strings."""
    found = []
    for path in searched(files):
        source = (root / path).read_bytes()
        if _PIPE.search(source):
            found += urls_in(source.decode("utf-8", "replace"), path)
    return [url for url in found if "d100" not in url]


def urls_in(text: str, path: pathlib.Path) -> list[str]:
    """The piped URLs in one source, resolved against the place of the file they stand in."""
    found = []
    for match in re.finditer(_PIPE.pattern.decode(), text):
        start = _BEFORE.search(text, 0, match.start()).start()
        delimiter = text[start - 1: start]
        if delimiter in ("'", '"', "`") and delimiter:
            end = _end_of_string(text, match.end(), delimiter)
            if end is None or text[: start - 1].rstrip().endswith("+"):
                continue
            url = text[start:end]
            # What is put behind a string at run time matters only if it belongs to the pipes.
            if _JOINED.match(text, end + 1) and "&" not in text[match.end(): end]:
                continue
        elif text[:start].endswith("url("):
            url = _in_parentheses(text, start)
        elif "=" in text[start: match.start()].partition("?")[0]:
            # An attribute without quotes.
            url = re.match(r"[^\s>]*", text[start:])[0].partition("=")[2]
        else:
            continue
        url = _decoded(url, text, start, path)
        if "${" not in url and "\n" not in url and _is_whole(url):
            found.append(resolved(url, path))
    return [url for url in found if url is not None]


def _end_of_string(text: str, position: int, delimiter: str) -> int | None:
    while position < len(text) and text[position] != "\n":
        if text[position] == "\\":
            position += 1
        elif text[position] == delimiter:
            return position
        position += 1
    return None


def _in_parentheses(text: str, start: int) -> str:
    depth, position = 0, start
    while position < len(text) and (depth or text[position] != ")"):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        position += 1
    return text[start:position]


def _decoded(url: str, text: str, position: int, path: pathlib.Path) -> str:
    before = text[:position].lower()
    if path.suffix in _SCRIPTS or before.rfind("<script") > before.rfind("</script"):
        if before.rfind("<script") <= before.rfind(">") or path.suffix in _SCRIPTS:
            return _ESCAPE.sub(lambda m: {"n": "\n", "t": "\t", "r": "\r"}.get(m[1], m[1]), url)
    return html.unescape(url)


def _is_whole(url: str) -> bool:
    pipes = re.search(r"[?&]pipe=([^&]*)", url)
    if pipes is None or not pipes[1] or pipes[1].endswith(("|", ",", "(")):
        return False
    # An unbalanced parenthesis is the sign of a string put together elsewhere.
    return pipes[1].count("(") == pipes[1].count(")")


def resolved(url: str, path: pathlib.Path) -> str | None:
    """The URL as the source's page asks for it; `None` where no server of the tree is asked."""
    url = url.partition("#")[0].strip()
    absolute = re.match(r"(?:(?:[a-z]+:)?//|\{\{)[^/]*(/.*)", url, re.S)
    if absolute:
        url = absolute[1]
    elif re.match(r"[a-z]+:", url):
        return None
    try:
        url = urljoin(url_of(path), url)
    except ValueError:
        return None
    # As a browser would: what a request line cannot hold, and what a query does not.
    return quote(url, safe="".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in "\"'<>`"))
