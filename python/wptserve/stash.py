"""The stash: values that one request leaves for another.

A server from the command line keeps it in its memory, or in that of the supervisor of its
processes. Several servers share one that a `StashServer` keeps in a process of its own; its
address is in their environment.
"""

from __future__ import annotations

import os
import pickle
import queue
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from . import _wptserve
from ._wptserve import StashLock
from .utils import isomorphic_encode

if TYPE_CHECKING:
    from types import TracebackType

__all__ = [
    "SharedQueue",
    "Stash",
    "StashError",
    "StashLock",
    "StashQueue",
    "StashServer",
    "load_env_config",
    "start_server",
    "store_env_config",
]

ENVIRONMENT = "WPT_STASH_CONFIG"


class StashError(Exception):
    """A value is already stored under the key."""


def load_env_config() -> tuple[Any, bytes]:
    """The address and the key of the stash that this process shares; KeyError without one."""
    from binascii import a2b_base64
    from json import loads

    config = os.environ.get(ENVIRONMENT) or _wptserve.stash_config()
    if config is None:
        raise KeyError(ENVIRONMENT)
    address, authkey = loads(config)
    return tuple(address) if isinstance(address, list) else str(address), a2b_base64(authkey)


def store_env_config(address: Any, authkey: bytes) -> None:
    """Makes `load_env_config` here and in child processes return these."""
    from binascii import b2a_base64
    from json import dumps

    key = b2a_base64(authkey, newline=False).decode("ascii")
    os.environ[ENVIRONMENT] = dumps((address, key))


class StashQueue(queue.Queue):  # type: ignore[type-arg]
    """A queue that handlers share: pickled, as the stash does, it is loaded as the same queue."""

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        global _last_id
        with _registry_lock:
            _last_id += 1
            self._id = _last_id
            _queues[self._id] = self

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        # From now on the pickle may be all that is left of the queue, so it has to live on.
        _pickled.add(self)
        return _queue_by_id, (self._id,)


_queues: WeakValueDictionary[int, StashQueue] = WeakValueDictionary()
_pickled: set[StashQueue] = set()
_registry_lock = threading.Lock()
_last_id = 0


def _queue_by_id(number: int) -> StashQueue:
    return _queues[number]


class SharedQueue:
    """A queue that handlers in all processes of a server share, with the methods of
    `queue.Queue`: items are pickled, and its own pickle is loaded as the same queue anywhere."""

    def __init__(self, maxsize: int = 0) -> None:
        self.maxsize = maxsize
        self._queue = _wptserve.HostsQueue(max(maxsize, 0))
        self._found_elsewhere = False

    def __reduce__(self) -> tuple[Any, tuple[int, int]]:
        # From now on the pickle may be all that is left of the queue, so it has to live on.
        self._found_elsewhere = True
        return _shared_queue, (self._queue.number, self.maxsize)

    def __del__(self) -> None:
        if not getattr(self, "_found_elsewhere", True):
            self._queue.remove()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Adds an item; queue.Full when there is no room, or none in time."""
        if not self._queue.push(pickle.dumps(item), timeout if block else 0):
            raise queue.Full

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Removes and returns the first item; queue.Empty when there is none, or none in time."""
        item = self._queue.pop(timeout if block else 0)
        if item is None:
            raise queue.Empty
        return pickle.loads(item)

    def put_nowait(self, item: Any) -> None:
        """Adds an item without waiting for room."""
        self.put(item, block=False)

    def get_nowait(self) -> Any:
        """Removes and returns the first item without waiting for one."""
        return self.get(block=False)

    def qsize(self) -> int:
        """How many items are there now."""
        return len(self._queue)

    def empty(self) -> bool:
        """Whether there is none."""
        return self.qsize() == 0

    def full(self) -> bool:
        """Whether there is no room."""
        return 0 < self.maxsize <= self.qsize()

    def task_done(self) -> None:
        """An item that was taken is done with."""
        if not self._queue.done():
            raise ValueError("task_done() called too many times")

    def join(self) -> None:
        """Waits until all items are done with."""
        self._queue.join()


def _shared_queue(number: int, maxsize: int) -> SharedQueue:
    shared = SharedQueue.__new__(SharedQueue)
    shared.maxsize = maxsize
    shared._queue = _wptserve.HostsQueue(number=number)
    shared._found_elsewhere = True
    return shared


class Stash(_wptserve.Stash):
    """Values under a path and a UUID: put once, taken once.

    :param default_path: The path of keys that name none.
    :param address: Of the process that keeps the values; without one this process does.
    :param authkey: Lets in those who know it.
    """

    # Those of the process that was connected last.
    _proxy: Any = None
    lock: Any = _wptserve.Stash.lock
    manager: Any = None
    _initializing = threading.Lock()

    def __init__(self, default_path: Any, address: Any = None, authkey: Any = None) -> None:
        self.data: Any = None
        if not address:
            return
        with Stash._initializing:
            # Each step may wait for the other process.
            if Stash._proxy is None or _connected_to != (address, authkey):
                _connect(address, authkey)
        self.manager, self.data, self.lock = Stash.manager, Stash._proxy, Stash.lock

    def put(self, key: Any, value: Any, path: Any = None) -> None:
        """Stores a value. StashError when there is one under that key, ValueError for None and
        for a key that is no UUID."""
        if self.data is None:
            super().put(key, value, path)
            return
        if value is None:
            raise ValueError("None cannot be put into the stash")
        place = self._place(key, path)
        if place in self.data:
            raise StashError(
                f"the stash has a value for {place} already: {self.data.get(place)} "
                f"(the new one is {value})"
            )
        self.data[place] = value

    def take(self, key: Any, path: Any = None) -> Any:
        """Removes and returns a value; None when there is none."""
        if self.data is None:
            return super().take(key, path)
        return self.data.pop(self._place(key, path), None)

    def get_queue(self) -> Any:
        """A queue that can be put into the stash and taken out elsewhere."""
        return super().get_queue() if self.manager is None else self.manager.Queue()

    def _place(self, key: Any, path: Any) -> tuple[bytes, bytes]:
        from uuid import UUID

        if isinstance(key, bytes):
            key = key.decode("ascii")
        try:
            number = UUID(key).bytes
        except ValueError as error:
            raise ValueError(f'"{key}" is no UUID; a stash key is') from error
        return isomorphic_encode(self.default_path if path is None else path), number


_connected_to: Any = None


def _connect(address: Any, authkey: Any) -> None:
    """Makes `Stash` lead to the process at an address."""
    global _connected_to
    from ._stash_process import RemoteLock, StashManager

    manager = StashManager(address, authkey)
    manager.connect()
    proxy, lock = manager.get_dict(), RemoteLock(manager.Lock())
    Stash.manager, Stash._proxy, Stash.lock = manager, proxy, lock
    _connected_to = (address, authkey)


def of_request(path: str) -> Stash:
    """The stash of a request in a program's own server: the shared one where there is one."""
    if os.environ.get(ENVIRONMENT):
        return Stash(path, *load_env_config())
    return Stash(path)


class StashServer:
    """A stash for several processes, as a context manager.

    Within it `load_env_config` here and in child processes leads to the stash.

    :param address: Where it listens; by default a socket of the system's choice.
    :param authkey: Lets in those who know it; by default this process's.
    :param mp_context: The context of `multiprocessing` that starts its process.
    """

    def __init__(self, address: Any = None, authkey: Any = None, mp_context: Any = None) -> None:
        self.address = address
        self.authkey = authkey
        self.mp_context = mp_context
        self.manager: Any = None

    def __enter__(self) -> None:
        self.manager, self.address, self.authkey = start_server(
            self.address, self.authkey, self.mp_context
        )
        store_env_config(self.address, self.authkey)

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        if self.manager is not None:
            self.manager.shutdown()


def start_server(
    address: Any = None, authkey: Any = None, mp_context: Any = None
) -> tuple[Any, Any, bytes]:
    """Starts a process that keeps a stash. Returns its manager, its address and its key."""
    from ._stash_process import StashManager

    if isinstance(authkey, str):
        authkey = authkey.encode("ascii")
    manager = StashManager(address, authkey, **({} if mp_context is None else {"ctx": mp_context}))
    manager.start()
    address = manager.address
    if isinstance(address, bytes):
        address = address.decode("ascii")
    return manager, address, bytes(manager._authkey)
