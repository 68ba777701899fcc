"""The two names under which WebSocket handlers know this package.

An import statement in a handler file is carried out by `handler_import`, which a handler finds in
its own ``__builtins__``: there the names always lead to this package. A module that a handler
imports has the interpreter's own ``__import__``: there the names are those of an installed package,
or of this one if none is installed (`Fallback` is the last finder that is asked).
"""

from __future__ import annotations

import builtins
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Sequence

PACKAGE = __package__
NAMES = ("pywebsocket3", "mod_pywebsocket")


def handler_import(
    name: str,
    globals: Any = None,
    locals: Any = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    """``__import__`` for handler files."""
    root, _, rest = name.partition(".")
    if level != 0 or root not in NAMES:
        return builtins.__import__(name, globals, locals, fromlist or (), level)
    own = f"{PACKAGE}.{rest}" if rest else PACKAGE
    # With a list of names the innermost module is returned, else the outermost.
    module = builtins.__import__(own, None, None, fromlist or ("__name__",), 0)
    return module if fromlist else sys.modules[PACKAGE]


def handler_builtins() -> dict[str, Any]:
    """The ``__builtins__`` of a handler file."""
    return {**vars(builtins), "__import__": handler_import}


class Fallback:
    """Finds this package under the two names when nothing else does."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        root, _, rest = name.partition(".")
        if root not in NAMES:
            return None
        own = f"{PACKAGE}.{rest}" if rest else PACKAGE
        try:
            import_module(own)
        except ModuleNotFoundError:
            return None
        is_package = hasattr(sys.modules[own], "__path__")
        # It is loader enough.
        return ModuleSpec(name, self, is_package=is_package)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Alias(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        root, _, rest = module.__name__.partition(".")
        # The module itself, not a copy: its exceptions are the same classes under every name.
        sys.modules[module.__name__] = sys.modules[f"{PACKAGE}.{rest}" if rest else PACKAGE]


class _Alias(ModuleType):
    """Stands for a module while that is put in its place."""


def install() -> None:
    """Adds the fallback behind all other finders."""
    if not any(isinstance(finder, Fallback) for finder in sys.meta_path):
        sys.meta_path.append(Fallback())  # type: ignore[arg-type]
