"""Reading a multipart body: part after part, header blocks and contents, without holding it all."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

if TYPE_CHECKING:
    from email.message import Message


class Body(Protocol):
    """A seekable request body."""

    def read(self, size: int = -1, /) -> bytes: ...
    def seek(self, offset: int, /) -> Any: ...
    def tell(self) -> int: ...


class PartReader:
    """Reads a multipart body block by block, in time linear in its length."""

    _BLOCK = 256 * 1024
    # A boundary line counts only up to here, as far as the cgi module read for one line.
    _LINE = 64 * 1024

    def __init__(self, body: Body) -> None:
        self._body = body
        self._buffer = bytearray()

    def _fill(self) -> bool:
        block = self._body.read(self._BLOCK)
        self._buffer += block
        return bool(block)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _take_line(self) -> bytes:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if not self._fill():
                return self._take(searched)
        return self._take(end + 1)

    def rest(self) -> bytes:
        """Everything that is left."""
        while self._fill():
            pass
        return self._take(len(self._buffer))

    def skip_preamble(self, boundary: bytes) -> None:
        """Moves behind the first line that is the boundary, white space around it aside."""
        delimiter = b"--" + boundary
        while True:
            found = self._buffer.find(delimiter)
            if found >= 0:
                del self._buffer[: self._buffer.rfind(b"\n", 0, found) + 1]
                if self._take_line().strip() == delimiter:
                    return
                continue
            # The line that has begun may still become the boundary, all before it cannot.
            del self._buffer[: self._buffer.rfind(b"\n") + 1]
            if not self._fill():
                self._buffer.clear()
                return

    def head(self) -> bytes:
        """A part's header block with the blank line that ends it; empty at the end of the body."""
        lines = []
        while True:
            line = self._take_line()
            lines.append(line)
            if not line.strip():
                return b"".join(lines)

    def content(self, boundary: bytes) -> tuple[BinaryIO, bool]:
        """A part's content up to the next boundary, and whether another part follows.

        The line end before the boundary, or at the end of a body that lacks one, is left out.
        """
        buffer = self._buffer
        spool = _Spool()
        delimiter = b"--" + boundary
        marker = b"\n" + delimiter
        # Never written while more may come: a marker that is not whole, a CR before it.
        held_back = len(marker) + 1
        end = self._line_end(0)
        follows = self._boundary_line(0, end, delimiter)
        searched = 0
        while follows is None:
            found = buffer.find(marker, searched)
            if found >= 0:
                end = self._line_end(found + 1)
                follows = self._boundary_line(found + 1, end, delimiter)
                if follows is None:
                    searched = found + 1
                else:
                    spool.write(self._take(found).removesuffix(b"\r"))
                    end -= found
                continue
            writable = len(buffer) - held_back
            if writable > 0:
                spool.write(self._take(writable))
                searched = max(0, searched - writable)
            if not self._fill():
                last = self.rest()
                for line_end in (b"\r\n", b"\n", b"\r"):
                    if last.endswith(line_end):
                        last = last.removesuffix(line_end)
                        break
                spool.write(last)
                return spool.file(), False
        del buffer[:end]
        return spool.file(), follows

    def _line_end(self, start: int) -> int:
        """Where the line from `start` on ends, its line feed and at most `_LINE` bytes included."""
        while True:
            end = self._buffer.find(b"\n", start, start + self._LINE)
            if end >= 0:
                return end + 1
            if len(self._buffer) - start >= self._LINE:
                return start + self._LINE
            if not self._fill():
                return len(self._buffer)

    def _boundary_line(self, start: int, end: int, delimiter: bytes) -> bool | None:
        """True for the line of a boundary between parts, False for the final one's, else None."""
        line = bytes(self._buffer[start:end]).rstrip()
        return True if line == delimiter else False if line == delimiter + b"--" else None


class PartHead:
    """The header block of a part, read by hand if it is plain, by the email parser if not."""

    # Anything else (continuation lines, bare CR, lines without a colon) is left to the parser.
    _PLAIN = re.compile(rb"(?:[!-9;-~]+:[^\r\n]*\r?\n)*\r?\n?")

    def __init__(self, block: bytes) -> None:
        text = block.decode("latin-1")
        self._parsed: Message | None = None
        if self._PLAIN.fullmatch(block):
            lines = text.replace("\r\n", "\n").split("\n")
            fields = [line.partition(":") for line in lines if line]
            self._fields = [
                (name, value.lstrip(" \t"))
                for name, _, value in fields
                # Some clients send it with a part; the boundary alone says where a part ends.
                if name.lower() != "content-length"
            ]
        else:
            from email.parser import FeedParser

            parser = FeedParser()
            parser.feed(text)
            self._parsed = parser.close()
            del self._parsed["content-length"]
            self._fields = [(name, str(value)) for name, value in self._parsed.items()]

    def get(self, name: str) -> str | None:
        """The first value of the lower-case `name`."""
        return next((value for key, value in self._fields if key.lower() == name), None)

    def message(self) -> Message:
        """All fields as a message without a body."""
        if self._parsed is None:
            from email.message import Message

            from ._message import message_from_fields

            self._parsed = message_from_fields(Message, self._fields)
        return self._parsed


class _Spool:
    """Bytes in memory, moved to a temporary file once they are many."""

    _IN_MEMORY = 1024 * 1024

    def __init__(self) -> None:
        self._file: Any = BytesIO()
        self._room: int | None = self._IN_MEMORY

    def write(self, data: bytes) -> None:
        if self._room is not None:
            self._room -= len(data)
            if self._room < 0:
                from tempfile import TemporaryFile

                in_memory = self._file.getbuffer()
                self._file = TemporaryFile()
                self._file.write(in_memory)
                self._room = None
        self._file.write(data)

    def file(self) -> BinaryIO:
        """The file at its start."""
        self._file.seek(0)
        file: BinaryIO = self._file
        return file
