"""The logger that handlers share: Python's root logger.

In the server's own process (the command line) its records reach the engine's log.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging
    from importlib.machinery import ModuleSpec

_logger: Any = None


def get_logger() -> logging.Logger:
    """The logger that `set_logger` was given, else the root logger."""
    if _logger is not None:
        chosen: logging.Logger = _logger
        return chosen
    import logging

    return logging.getLogger()


def set_logger(logger: Any) -> None:
    """Makes `get_logger` return another logger, or with None the root logger again."""
    global _logger
    _logger = logger


def forward_all() -> None:
    """Sends what is logged to the engine's log, now or as soon as `logging` is imported."""
    if "logging" in sys.modules:
        import logging

        forward(logging.getLogger())
    else:
        sys.meta_path.insert(0, _LoggingFinder())


def forward(root: logging.Logger) -> None:
    """Makes the records of a root logger without handlers go to the engine's log."""
    import logging

    from . import _wptserve

    if root.handlers:
        return

    class EngineLog(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            try:
                _wptserve.log(record.levelno, record.name, self.format(record))
            except Exception:
                self.handleError(record)

    root.addHandler(EngineLog())
    # The engine filters by its own level; INFO keeps the debug chatter of libraries from
    # being formatted at all.
    root.setLevel(logging.INFO)


class _LoggingFinder:
    """Finds `logging` where it is, and forwards its root logger once it is loaded."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != "logging":
            return None
        others: list[Any] = [finder for finder in sys.meta_path if finder is not self]
        found = (finder.find_spec(name, path, target) for finder in others)
        spec: ModuleSpec | None = next((spec for spec in found if spec is not None), None)
        loader: Any = spec and spec.loader
        if loader is not None:
            load = loader.exec_module

            def exec_module(module: Any) -> None:
                load(module)
                forward(module.getLogger())

            loader.exec_module = exec_module
        return spec
