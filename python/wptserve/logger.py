"""The logger that handlers share: Python's root logger, forwarded to the engine's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


def get_logger() -> logging.Logger:
    """The root logger. Its records reach the engine's log unless it has other handlers."""
    import logging

    root = logging.getLogger()
    forward(root)
    return root


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
