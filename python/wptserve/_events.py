"""What a handler of frames gets: the events of an HTTP/2 stream, named as in the `h2` library."""

from __future__ import annotations

from typing import Any


class StreamEnded:
    """The client sends no more on the stream."""

    def __init__(self, stream_id: int) -> None:
        self.stream_id = stream_id

    def __repr__(self) -> str:
        return f"<StreamEnded stream_id:{self.stream_id}>"


class _StreamEvent:
    """An event that may end its stream; ``stream_ended`` is then a `StreamEnded`, else None."""

    def __init__(self, stream_id: int, ended: bool) -> None:
        self.stream_id = stream_id
        self.stream_ended = StreamEnded(stream_id) if ended else None


class RequestReceived(_StreamEvent):
    """The head of a request: ``headers`` are pairs of bytes, pseudo-header fields first."""

    def __init__(self, stream_id: int, headers: list[tuple[bytes, bytes]], ended: bool) -> None:
        super().__init__(stream_id, ended)
        self.headers = headers
        self.priority_updated: Any = None

    def __repr__(self) -> str:
        return f"<RequestReceived stream_id:{self.stream_id}, headers:{self.headers}>"


class DataReceived(_StreamEvent):
    """A DATA frame."""

    def __init__(self, stream_id: int, data: bytes, ended: bool) -> None:
        super().__init__(stream_id, ended)
        self.data = data
        # Padding is taken off before this.
        self.flow_controlled_length = len(data)

    def __repr__(self) -> str:
        return (
            f"<DataReceived stream_id:{self.stream_id}, "
            f"flow_controlled_length:{self.flow_controlled_length}, "
            f"data:{self.data[:20].hex()}>"
        )
