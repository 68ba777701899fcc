"""Find the Python file handlers of a web-platform-tests tree."""

import ast
import pathlib

# Here `.py` files are tools, generators or tests in Python, never handlers.
_NOT_SERVED = {"tools", "docs", "webdriver", "conformance-checkers"}
_HOOKS = {"handle_headers", "handle_data"}


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
