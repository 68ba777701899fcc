"""The classes of a handler's arguments, for annotations.

    from wptserve.types import Request, Response

    def main(request: Request, response: Response) -> bytes: ...
"""

from __future__ import annotations

from typing import Any, Callable

from ._wptserve import InputFile, Request, Response, ResponseHeaders, ResponseWriter, Server
from .request import Authentication, Cookies, CookieValue, MultiDict, RequestHeaders
from .stash import Stash

__all__ = [
    "Authentication",
    "CookieValue",
    "Cookies",
    "Handler",
    "InputFile",
    "MultiDict",
    "Request",
    "RequestHeaders",
    "Response",
    "ResponseHeaders",
    "ResponseWriter",
    "Server",
    "Stash",
]

Handler = Callable[[Request, Response], Any]
