"""The stash: values that one request leaves for another."""

from __future__ import annotations

import os
import queue
import threading
from typing import Any
from weakref import WeakValueDictionary

from . import _wptserve
from ._wptserve import Stash, StashLock

__all__ = [
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


class StashServer:
    """A stash for several processes."""

    def __init__(self, address: Any = None, authkey: Any = None, mp_context: Any = None) -> None:
        raise _not_built("StashServer")


def start_server(address: Any = None, authkey: Any = None, mp_context: Any = None) -> Any:
    """Starts a stash for several processes."""
    raise _not_built("start_server")


def _not_built(name: str) -> NotImplementedError:
    return NotImplementedError(
        f"wptserve.stash.{name}: a stash shared between processes is not built yet; "
        "request.server.stash works without it"
    )
