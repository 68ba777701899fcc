"""Pipes: functions that change a response, asked for by ``?pipe=…`` and by ``.sub.`` in a name.

The server's own pipes are native. ``@pipe`` adds one in Python, for handlers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Callable, ClassVar, Iterator

from ._wptserve import NativeContent, apply_pipe, parse_pipes, pipe_names
from ._wptserve import template as _template

if TYPE_CHECKING:
    from ._wptserve import Request, Response

    Pipe = Callable[..., Any]

__all__ = [
    "NativeContent",
    "PipeTokenizer",
    "Pipeline",
    "ReplacementTokenizer",
    "boolean",
    "nullable",
    "opt",
    "pipe",
    "resolve_content",
    "template",
]


class Pipeline:
    """The pipes of a pipe string; called with a request and a response, it applies them."""

    pipes: ClassVar[dict[str, Pipe]] = {}

    def __init__(self, pipe_string: str) -> None:
        self.pipe_functions = self.parse(pipe_string)

    def parse(self, pipe_string: str) -> list[tuple[Pipe, list[str]]]:
        """The functions with their arguments; KeyError for a name that no pipe has."""
        return [(self.pipes[name], arguments) for name, arguments in parse_pipes(pipe_string)]

    def __call__(self, request: Request, response: Response) -> Any:
        for function, arguments in self.pipe_functions:
            response = function(request, response, *arguments)
        return response


class pipe:  # noqa: N801 (the reference's name)
    """A decorator that makes a function a pipe; its arguments convert those of the pipe string.

    Converters wrapped in `opt` are for arguments that may be left out.
    """

    def __init__(self, *arg_converters: Callable[[str], Any]) -> None:
        optional = [isinstance(converter, opt) for converter in arg_converters]
        if optional != sorted(optional):
            raise ValueError("an optional argument is followed by one that is not")
        self.arg_converters = arg_converters
        self.max_args = len(arg_converters)
        self.min_args = optional.count(False)

    def __call__(self, function: Pipe) -> Pipe:
        def convert_and_call(request: Request, response: Response, *arguments: str) -> Any:
            if not self.min_args <= len(arguments) <= self.max_args:
                raise ValueError(
                    f"the pipe {function.__name__} takes {self.min_args} to {self.max_args} "
                    f"arguments, not {len(arguments)}"
                )
            values = (
                convert(argument) for convert, argument in zip(self.arg_converters, arguments)
            )
            return function(request, response, *values)

        Pipeline.pipes[function.__name__] = convert_and_call
        return function


class opt:  # noqa: N801 (the reference's name)
    """Marks the converter of an argument that may be left out."""

    def __init__(self, f: Callable[[str], Any]) -> None:
        self.f = f

    def __call__(self, arg: str) -> Any:
        return self.f(arg)


def nullable(func: Callable[[str], Any]) -> Callable[[str], Any]:
    """A converter that makes ``null``, in any case, None."""
    return lambda argument: None if argument.lower() == "null" else func(argument)


def boolean(arg: str) -> bool:
    """``true`` or ``1``, ``false`` or ``0``, in any case."""
    try:
        return {"true": True, "1": True, "false": False, "0": False}[arg.lower()]
    except KeyError:
        raise ValueError(f"{arg!r} is neither true nor false") from None


def resolve_content(response: Response) -> bytes:
    """All of a response's content."""
    return b"".join(response.iter_content(read_file=True))  # type: ignore[arg-type]


def template(request: Request, content: bytes, escape_type: str = "html") -> bytes:
    """Substitutes what stands between ``{{`` and ``}}``."""
    return _template(request, content, escape_type)


class ReplacementTokenizer:
    """Splits a template's expression into ``(kind, value)`` tokens."""

    _PATTERN = re.compile(
        rb"(?P<var>\$\w+:)|(?P<ident>\$?\w+)|\[(?P<index>[^\]]*)\]|\((?P<arguments>[^)]*)\)"
    )

    def tokenize(self, string: bytes) -> list[tuple[str, Any]]:
        """The tokens up to the first place that is none."""
        tokens: list[tuple[str, Any]] = []
        at = 0
        while (match := self._PATTERN.match(string, at)) and match.end() > at:
            kind = str(match.lastgroup)
            tokens.append((kind, self._value(kind, match[kind].decode("utf-8"))))
            at = match.end()
        return tokens

    @staticmethod
    def _value(kind: str, text: str) -> Any:
        if kind == "var":
            return text[:-1]
        if kind == "arguments":
            return re.split(r",\s*", text) if text else []
        if kind == "index":
            try:
                return int(text)
            except ValueError:
                return text
        return text


def _apply(name: str, request: Request, response: Response, *arguments: Any) -> Response:
    texts = ["null" if argument is None else isomorphic_text(argument) for argument in arguments]
    apply_pipe(name, request, response, texts)
    return response


def isomorphic_text(argument: Any) -> str:
    """An argument of a pipe function as a pipe string has it."""
    return argument.decode("latin-1") if isinstance(argument, bytes) else str(argument)


def status(request: Request, response: Response, code: int) -> Response:
    """Sets the status code."""
    return _apply("status", request, response, code)


def header(
    request: Request, response: Response, name: Any, value: Any, append: bool = False
) -> Response:
    """Sets a header, or adds one with ``append``."""
    return _apply("header", request, response, name, value, bool(append))


def slice(  # noqa: A001 (the reference's name)
    request: Request, response: Response, start: int | None, end: int | None = None
) -> Response:
    """Keeps a part of the content, with offsets as in Python's slices."""
    return _apply("slice", request, response, start, end)


def trickle(request: Request, response: Response, delays: str) -> Response:
    """Sends the content in pieces with delays; the engine does so without holding a thread."""
    return _apply("trickle", request, response, delays)


def sub(request: Request, response: Response, escape_type: str | None = "html") -> Response:
    """Substitutes what stands between ``{{`` and ``}}`` in the content."""
    return _apply("sub", request, response, escape_type)


def gzip(request: Request, response: Response) -> Response:
    """Compresses the content."""
    return _apply("gzip", request, response)


def _engine_pipe(name: str) -> Pipe:
    return lambda request, response, *arguments: _apply(name, request, response, *arguments)


Pipeline.pipes.update((name, _engine_pipe(name)) for name in pipe_names())


class PipeTokenizer:
    """Splits a pipe string into ``("function", name)`` and ``("argument", text)``, then None."""

    def tokenize(self, string: str) -> Iterator[tuple[str, str] | None]:
        """The tokens in order."""
        for name, arguments in parse_pipes(string):
            yield "function", name
            yield from (("argument", argument) for argument in arguments)
        yield None
