"""The logger that handlers share: Python's root logger, forwarded to the engine's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

_connected = False


def get_logger() -> logging.Logger:
    """The root logger. Its records reach the engine's log unless it already has handlers."""
    import logging

    root = logging.getLogger()
    global _connected
    if not _connected:
        _connected = True
        if not root.handlers:
            _forward(root)
    return root


def _forward(root: logging.Logger) -> None:
    import logging

    from . import _wptserve

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
