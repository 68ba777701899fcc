"""Find the Python file handlers of a web-platform-tests tree, and what to ask them."""

import ast
import html
import pathlib
import re
import uuid

from wpt_files import resolved, searched, tree_files

# Here `.py` files are tools, generators or tests in Python, never handlers.
_NOT_SERVED = {"tools", "docs", "webdriver", "conformance-checkers"}
_HOOKS = {"handle_headers", "handle_data"}
# Parameters that a handler reads, as far as its source names them.
_READ = re.compile(
    rb"""GET\s*(?:\.(?:first|last|get|get_list)\(|\[)\s*[bu]?["']([\w.-]+)["']"""
    rb"""|["']([\w.-]+)["']\s+(?:not\s+)?in\s+(?:request\.GET|query)"""
)
# What a parameter holds, by what its name contains; the first that does counts.
_VALUES = [
    ("delay", "0.01"), ("ms", "1"), ("url", "/common/blank.html"),
    ("location", "/common/blank.html"), ("redirect", "/common/blank.html"), ("status", "200"),
    ("type", "text/plain"), ("mime", "text/plain"), ("origin", "http://web-platform.test"),
    ("cookie", "name"), ("count", "2"), ("action", "get"), ("max", "1"),
]
_IDENTIFIER = re.compile(r"(^|[_-])(id|uuid|token|key)\d*$|(id|uuid|token)$", re.I)
_USED = re.compile(r"""[^\s"'`<>(),;]*\.py\?[^\s"'`<>\\]*""")


def handler_paths(root: pathlib.Path) -> list[str]:
    """URL paths of all files that a server would run as handlers, sorted."""
    found = []
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root)
        # Dot directories are answered by routes that the bare server does not have.
        if relative.parts[0] in _NOT_SERVED or any(p.startswith(".") for p in relative.parts):
            continue
        if path.is_file() and is_handler(path.read_bytes()):
            found.append("/" + relative.as_posix())
    return found


def well_known_paths(root: pathlib.Path) -> list[str]:
    """URL paths of the handlers below `.well-known`, which have no `.py`, sorted."""
    files = (path for path in (root / ".well-known").rglob("*") if path.is_file())
    return sorted(
        "/" + path.relative_to(root).as_posix() for path in files if is_handler(path.read_bytes())
    )


def handler_urls(root: pathlib.Path, queries: str = "none", well_known: bool = False) -> list[str]:
    """What to ask a tree's handlers: nothing but their paths, `filled` queries, or `used` ones."""
    if queries == "used":
        return used_urls(root, searched(tree_files(root)))
    paths = handler_paths(root) + (well_known_paths(root) if well_known else [])
    if queries == "filled":
        return [url for path in paths if (url := filled(root, path))]
    return paths


def filled(root: pathlib.Path, handler: str) -> str | None:
    """The URL of a handler with every parameter that its source reads, if it reads any."""
    found = _READ.findall((root / handler.lstrip("/")).read_bytes())
    names = dict.fromkeys((one or other).decode() for one, other in found)
    query = "&".join(f"{name}={_value(name, handler)}" for name in names)
    return f"{handler}?{query}" if query else None


def _value(name: str, place: str) -> str:
    if _IDENTIFIER.search(name):
        return str(uuid.uuid5(uuid.NAMESPACE_URL, place))
    return next((value for part, value in _VALUES if part in name.lower()), "1")


def used_urls(root: pathlib.Path, sources: list[pathlib.Path]) -> list[str]:
    """URLs with a query, of handlers that are there, as they stand in the sources.

    What a script would put behind an `=` is put there, and what it would put between is left out.
    """
    found = set()
    for path in sources:
        source = (root / path).read_bytes()
        if b".py?" not in source:
            continue
        for match in _USED.findall(source.decode("utf-8", "replace")):
            # Without quotes, an attribute's name is found with its value.
            url = re.sub(r"^[\w-]+=", "", html.unescape(match).partition("${")[0])
            url = resolved(url, path)
            handler = re.match(r"/+([^?]*\.py)\?", url or "")
            if handler is None or not (root / handler[1]).is_file():
                continue
            name = re.search(r"[?&]([^?&=]+)=$", url)
            found.add(url + _value(name[1], url) if name else url)
    return sorted(found)


def is_handler(source: bytes) -> bool:
    """Whether the source binds a `main` for (request, response), or an HTTP/2 hook."""
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError):
        # Handlers from the days of Python 2 still count: both servers must say why they fail.
        return b"def main(request, response)" in source
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name in _HOOKS or (node.name == "main" and _takes_two(node.args)):
                return True
        elif isinstance(node, ast.Assign):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            if "main" in names and isinstance(node.value, (ast.Attribute, ast.Name, ast.Call)):
                return True
    return False


def _takes_two(arguments: ast.arguments) -> bool:
    positional = len(arguments.posonlyargs) + len(arguments.args)
    required = positional - len(arguments.defaults)
    return required <= 2 <= positional or (arguments.vararg is not None and required <= 2)
