"""The parsed parts of a form, under the module name that handler code knows them by."""

from __future__ import annotations

from ..forms import FieldStorage, MiniFieldStorage, parse_header

__all__ = ["FieldStorage", "MiniFieldStorage", "parse_header"]
