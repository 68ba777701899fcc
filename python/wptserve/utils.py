"""What handler files import by this module's name: latin-1 coding, ports, HTTP errors."""

from __future__ import annotations

from typing import Dict, Iterable, Mapping, TypeVar

K = TypeVar("K")
V = TypeVar("V")


def isomorphic_decode(s: bytes | str) -> str:
    """Text whose code points are the byte values of `s`; text is returned as it is."""
    if isinstance(s, str):
        return s
    if isinstance(s, bytes):
        return s.decode("latin-1")
    raise _not_a_string(s)


def isomorphic_encode(s: bytes | str) -> bytes:
    """Bytes whose values are the code points of `s`; bytes are returned as they are.

    Raises UnicodeEncodeError for code points above U+00FF.
    """
    if isinstance(s, bytes):
        return s
    if isinstance(s, str):
        return s.encode("latin-1")
    raise _not_a_string(s)


def _not_a_string(value: object) -> TypeError:
    return TypeError(f"Unexpected value (expecting string-like): {value!r}")


def invert_dict(dict: Mapping[K, Iterable[V]]) -> Dict[V, K]:
    """Maps each listed value back to its key; ValueError when a value is listed twice."""
    pairs = [(value, key) for key, values in dict.items() for value in values]
    inverse = {value: key for value, key in pairs}
    if len(inverse) < len(pairs):
        listed = [value for value, _ in pairs]
        raise ValueError(
            f"listed twice: {sorted({v for v in listed if listed.count(v) > 1}, key=repr)}"
        )
    return inverse


class HTTPException(Exception):
    """Ends a handler with an HTTP error response.

    A 4xx body shows ``str()`` of the exception, which is that of its positional arguments:
    ``(400, 'why')`` for ``HTTPException(400, "why")``, ``400`` when the message is a keyword.
    """

    def __init__(self, code: int, message: str = "") -> None:
        # BaseException.__new__ has recorded the positional arguments; calling super().__init__
        # would add nothing, and would hide the difference that the docstring describes.
        self.code = code
        self.message = message


def get_error_cause(exc: BaseException) -> BaseException:
    """What `exc` was raised from, else what was being handled then, else `exc` itself."""
    causes = (exc.__cause__, exc.__context__)
    return next((cause for cause in causes if cause is not None), exc)


def is_bad_port(port: int) -> bool:
    """Whether browsers refuse to fetch from `port` (https://fetch.spec.whatwg.org/#port-blocking)."""
    return port in _BAD_PORTS


def get_port(host: str = "") -> int:
    """A TCP port that browsers accept and that was free on `host` (default 127.0.0.1) just now."""
    import socket

    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((host or "127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if not is_bad_port(port):
            return port


def http2_compatible() -> bool:
    """Whether servers here can speak HTTP/2."""
    return True


# fmt: off
_BAD_PORTS = frozenset((
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
    103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
    512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 993, 995,
    999, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
    6669, 6679, 6697, 10080,
))
# fmt: on
