"""The Range header of a request for a file (RFC 9110 section 14)."""

from __future__ import annotations

from .utils import HTTPException


class RangeParser:
    """Turns a Range value and a file size into ascending, merged ranges."""

    def __call__(self, header: bytes, file_size: int) -> list[Range]:
        """The ranges asked for; HTTPException 400 if not ASCII, 416 if bad or unsatisfiable."""
        try:
            text = header.decode("ascii")
        except UnicodeDecodeError:
            raise HTTPException(400, "Non-ASCII range header value") from None
        if not text.startswith("bytes="):
            raise HTTPException(416, message=f"Unrecognised range type {text}")
        specifiers = text[len("bytes=") :].split(",")
        return self.coalesce_ranges(
            [self._range(item, file_size) for item in specifiers], file_size
        )

    def _range(self, specifier: str, file_size: int) -> Range:
        try:
            lower, upper = (int(bound) if bound else None for bound in specifier.split("-"))
            return Range(lower, upper, file_size)
        except ValueError:
            raise HTTPException(416, f"Bad range specifier {specifier}") from None

    def coalesce_ranges(self, ranges: list[Range], file_size: int) -> list[Range]:
        """`ranges` in ascending order, neighbours that overlap or touch made one.

        A range that reaches over its neighbour into a further one is not joined with that.
        """
        merged: list[Range] = []
        for item in sorted(ranges, reverse=True):
            merged[-1:] = reversed(merged[-1].coalesce(item)) if merged else [item]
        return merged[::-1]


class Range:
    """Bytes `lower` up to, not including, `upper` of a file; ValueError when that is nothing.

    The constructor takes the header's bounds, of which the last is included: both None is the
    whole file, a missing `lower` the last `upper` bytes, a missing `upper` the rest.
    """

    def __init__(self, lower: int | None, upper: int | None, file_size: int) -> None:
        self.file_size = file_size
        if lower is None:
            self.lower = 0 if upper is None else max(0, file_size - upper)
            self.upper = file_size
        else:
            self.lower = lower
            self.upper = file_size if upper is None else min(file_size, upper + 1)
        if self.lower >= self.upper or self.lower >= file_size:
            raise ValueError(f"no byte of {file_size} is in {lower}-{upper}")

    def __repr__(self) -> str:
        return f"<Range {self.lower}-{self.upper}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Range):
            return NotImplemented
        return (self.lower, self.upper) == (other.lower, other.upper)

    def __lt__(self, other: Range) -> bool:
        return self.lower < other.lower

    def __gt__(self, other: Range) -> bool:
        return self.lower > other.lower

    __hash__ = None  # type: ignore[assignment]

    def coalesce(self, other: Range) -> list[Range]:
        """One range when the two overlap or touch, else both in ascending order."""
        if self.upper < other.lower or self.lower > other.upper:
            return sorted([self, other])
        return [
            Range(min(self.lower, other.lower), max(self.upper, other.upper) - 1, self.file_size)
        ]

    def header_value(self) -> str:
        """This range as the value of Content-Range."""
        return f"bytes {self.lower}-{self.upper - 1}/{self.file_size}"
