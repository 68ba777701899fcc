"""Messages, for handlers that have the request at hand; and in threads of their own."""

from __future__ import annotations

import queue
import threading
from typing import Any, Callable

from ._stream_exceptions import (
    BadOperationException,
    ConnectionTerminatedException,
    InvalidFrameException,
    MessageTooBigException,
    UnsupportedFrameException,
)

__all__ = [
    "BadOperationException",
    "ConnectionTerminatedException",
    "InvalidFrameException",
    "MessageReceiver",
    "MessageSender",
    "MessageTooBigException",
    "UnsupportedFrameException",
    "close_connection",
    "receive_message",
    "send_message",
    "send_ping",
]


def close_connection(request: Any) -> None:
    """Closes with the code 1000 and waits for the client's answer."""
    request.ws_stream.close_connection()


def send_message(request: Any, payload_data: Any, end: bool = True, binary: bool = False) -> None:
    """Sends a message, or with `end` false a part of one."""
    request.ws_stream.send_message(payload_data, end, binary)


def receive_message(request: Any) -> str | bytes | None:
    """The next message; `None` when the client closes."""
    return request.ws_stream.receive_message()


def send_ping(request: Any, body: Any) -> None:
    """Sends a ping."""
    request.ws_stream.send_ping(body)


class MessageReceiver(threading.Thread):
    """Receives messages in a thread of its own: for `onmessage` when there is one, else for
    `receive` and `receive_nowait`."""

    def __init__(self, request: Any, onmessage: Callable[[Any], Any] | None = None) -> None:
        super().__init__(daemon=True)
        self._request = request
        self._queue: queue.Queue[Any] = queue.Queue()
        self._onmessage = onmessage
        self._stop_requested = False
        self.start()

    def run(self) -> None:
        try:
            while not self._stop_requested:
                message = receive_message(self._request)
                (self._onmessage or self._queue.put)(message)
        finally:
            close_connection(self._request)

    def receive(self) -> Any:
        """The next message; waits for it."""
        return self._queue.get()

    def receive_nowait(self) -> Any:
        """The next message, or `None` when there is none yet."""
        try:
            return self._queue.get_nowait()
        except queue.Empty:
            return None

    def stop(self) -> None:
        """Stops after the next message."""
        self._stop_requested = True


class MessageSender(threading.Thread):
    """Sends messages in a thread of its own."""

    def __init__(self, request: Any) -> None:
        super().__init__(daemon=True)
        self._request = request
        self._queue: queue.Queue[tuple[Any, threading.Event]] = queue.Queue()
        self.start()

    def run(self) -> None:
        while True:
            message, sent = self._queue.get()
            send_message(self._request, message)
            sent.set()

    def send(self, message: Any) -> None:
        """Sends a message; waits until it is sent."""
        sent = threading.Event()
        self._queue.put((message, sent))
        sent.wait()

    def send_nowait(self, message: Any) -> None:
        """Sends a message some time."""
        self._queue.put((message, threading.Event()))
