"""The process that keeps a shared stash: a dict, a lock and queues behind `multiprocessing`."""

from __future__ import annotations

import queue
import threading
from multiprocessing.managers import (  # type: ignore[attr-defined]
    AcquirerProxy,
    BaseManager,
    BaseProxy,
    DictProxy,
    RebuildProxy,
    public_methods,
)
from typing import Any

_values: dict[tuple[bytes, bytes], object] = {}
_lock = threading.Lock()


def _get_values() -> dict[tuple[bytes, bytes], object]:
    return _values


def _get_lock() -> threading.Lock:
    return _lock


class QueueProxy(BaseProxy):
    """A queue in the other process.

    A class of its own: those that `multiprocessing` makes cannot be pickled in children that
    were spawned.
    """

    _exposed_ = tuple(public_methods(queue.Queue))

    # Set by `BaseProxy`.
    _authkey: bytes
    _token: Any
    _serializer: str

    def __reduce__(self) -> Any:
        # With the key: who takes the queue out of the stash may have another one of its own.
        options = {"authkey": bytes(self._authkey)}
        return RebuildProxy, (type(self), self._token, self._serializer, options)


def _forwarded(name: str) -> Any:
    def method(self: QueueProxy, *arguments: Any, **options: Any) -> Any:
        return self._callmethod(name, arguments, options)

    method.__name__ = name
    return method


for _name in QueueProxy._exposed_:
    setattr(QueueProxy, _name, _forwarded(_name))


class StashManager(BaseManager):
    """Starts the process, or connects to it."""

    _authkey: bytes
    get_dict: Any
    Lock: Any
    Queue: Any


# The names are those of the reference: its processes and ours can share a stash.
StashManager.register("get_dict", callable=_get_values, proxytype=DictProxy)
StashManager.register("Lock", callable=_get_lock, proxytype=AcquirerProxy)
StashManager.register("Queue", callable=queue.Queue, proxytype=QueueProxy)


class RemoteLock:
    """The lock in the other process."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock

    def acquire(self) -> None:
        """Waits for the lock."""
        self.lock.acquire()

    def release(self) -> None:
        """Gives the lock back."""
        self.lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_exception: object) -> None:
        self.release()
