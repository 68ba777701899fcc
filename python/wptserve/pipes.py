"""Pipes (``?pipe=…`` and ``.sub.`` templates); their functions are not built yet."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise NotImplementedError(f"wptserve.pipes.{name}: pipes are not built yet")
