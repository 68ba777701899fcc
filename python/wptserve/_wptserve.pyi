"""The engine: the classes that handlers see, and the tables that the Python modules share."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from http.client import HTTPMessage
from os import PathLike
from types import TracebackType
from typing import Any, NoReturn, Protocol, TypeAlias, final, overload
from urllib.parse import SplitResult

from typing_extensions import Self

from .config import Config
from .request import Authentication, Cookies, MultiDict, RequestHeaders
from .stash import SharedQueue, StashQueue

__version__: str

# Text is sent as latin-1 in header fields and reason phrases, and in the response's `encoding`
# in content.
_Text: TypeAlias = bytes | str
_BytesLike: TypeAlias = bytes | bytearray | memoryview
_FieldValue: TypeAlias = bytes | str | int
_Status: TypeAlias = int | tuple[int | _Text, _Text | None]

class _Readable(Protocol):
    def read(self, size: int = ..., /) -> _Text: ...
    def close(self) -> object: ...

_Content: TypeAlias = _Text | _Readable | Iterable[_Text | Callable[[], _Text | None]]

class InputFile:
    """A request body as a seekable binary file; `seek` counts from the start only."""

    max_buffer_size: int
    def __new__(cls, rfile: Any, length: int, *_more: Any, **_named: Any) -> Self: ...
    def __init__(self, rfile: Any, length: int, *_more: Any, **_named: Any) -> None: ...
    @property
    def length(self) -> int: ...
    def read(self, bytes: int = ...) -> bytes: ...
    def readline(self, max_bytes: int | None = None) -> bytes: ...
    def readlines(self) -> list[bytes]: ...
    def seek(self, offset: int) -> None: ...
    def tell(self) -> int: ...
    def close(self) -> None: ...
    def next(self) -> bytes: ...
    def __iter__(self) -> InputFile: ...
    def __next__(self) -> bytes: ...
    def __enter__(self) -> InputFile: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> bool: ...

class Server:
    """What a handler may know of the server. Attributes may be set, unknown ones too."""

    stash: Stash
    @property
    def config(self) -> Config: ...
    def __getattr__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...

class Request:
    """A request. Attributes may be set, unknown ones too."""

    method: str
    doc_root: str
    url: str
    url_parts: SplitResult
    url_base: str
    request_path: str
    request_line: bytes
    route_match: dict[str, str] | None
    protocol_version: str
    client_address: tuple[str, int]
    headers: RequestHeaders
    raw_headers: HTTPMessage
    raw_input: InputFile
    server: Server
    body: bytes
    GET: MultiDict
    POST: MultiDict
    cookies: Cookies
    auth: Authentication
    def __new__(cls, request_handler: Any, *_more: Any, **_named: Any) -> Self: ...
    def __init__(self, request_handler: Any, *_more: Any, **_named: Any) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Request: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> bool: ...
    def __getattr__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...

class ResponseHeaders:
    """Response header fields; a repeated one keeps the place and the case of its first."""

    def __new__(cls) -> ResponseHeaders: ...
    def set(self, key: _FieldValue, value: _FieldValue) -> None: ...
    def append(self, key: _FieldValue, value: _FieldValue) -> None: ...
    @overload
    def get(self, key: _FieldValue) -> list[bytes]: ...
    @overload
    def get(self, key: _FieldValue, default: Any) -> Any: ...
    def update(self, items_iter: Iterable[tuple[_FieldValue, _FieldValue]]) -> None: ...
    def items(self) -> list[tuple[bytes, bytes]]: ...
    def __getitem__(self, key: _FieldValue, /) -> list[bytes]: ...
    def __setitem__(self, key: _FieldValue, value: _FieldValue, /) -> None: ...
    def __delitem__(self, key: _FieldValue, /) -> None: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __iter__(self) -> Iterator[tuple[bytes, bytes]]: ...

class ResponseWriter:
    """Writes a response piece by piece. False means that the peer is gone."""

    content_written: bool
    _headers_complete: bool
    _status_written: bool
    default_status: int
    file_chunk_size: int
    request: Request
    _handler: Any
    def __new__(cls, handler: Any, response: Response, *_more: Any, **_named: Any) -> Self: ...
    def __init__(self, handler: Any, response: Response, *_more: Any, **_named: Any) -> None: ...
    def write_status(self, code: int, message: _Text | None = None) -> None: ...
    def write_header(self, name: _Text, value: _FieldValue) -> bool: ...
    def write_default_headers(self) -> bool: ...
    def end_headers(self) -> bool: ...
    def write_content(self, data: _Text | _Readable) -> bool: ...
    def write_raw_content(self, data: _Text | _Readable) -> bool: ...
    def write_content_file(self, data: _Readable) -> bool: ...
    def write(self, data: _Text) -> bool: ...
    def flush(self) -> bool: ...
    def encode(self, data: _Text) -> bytes: ...
    def take_over(self) -> RawConnection: ...
    @property
    def _wfile(self) -> ConnectionFile: ...
    @property
    def _response(self) -> Response: ...
    def __getattr__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...

@final
class ConnectionFile:
    """The connection as a file to write to; BrokenPipeError once the peer is gone."""

    @property
    def closed(self) -> bool: ...
    def write(self, data: _BytesLike) -> int: ...
    def writelines(self, lines: Iterable[_BytesLike]) -> None: ...
    def flush(self) -> None: ...
    def isatty(self) -> bool: ...
    def readable(self) -> bool: ...
    def seekable(self) -> bool: ...
    def writable(self) -> bool: ...

@final
class RawConnection:
    """A connection that a handler took over; it closes when the handler is done.

    `read` gives at least one byte, or none when the peer has ended its side, and raises
    TimeoutError when `timeout` seconds pass first.
    """

    def read(self, size: int, timeout: float | None = None) -> bytes: ...
    def write(self, data: _BytesLike) -> int: ...
    def close(self) -> None: ...

class Response:
    """A response. Attributes may be set, unknown ones too."""

    request: Request
    writer: ResponseWriter
    logger: Any
    encoding: str
    add_required_headers: bool
    send_body_for_head_request: bool
    close_connection: bool
    # Any list of pairs may take the place of the headers; `set` and the like are then gone.
    headers: ResponseHeaders | Any
    content: _Content
    def __new__(
        cls,
        handler: Any,
        request: Any,
        response_writer_cls: Any = None,
        *_more: Any,
        **_named: Any,
    ) -> Self: ...
    def __init__(
        self,
        handler: Any,
        request: Any,
        response_writer_cls: Any = None,
        *_more: Any,
        **_named: Any,
    ) -> None: ...
    @property
    def status(self) -> tuple[int, _Text | None]: ...
    @status.setter
    def status(self, value: _Status) -> None: ...
    def set_cookie(
        self,
        name: _Text,
        value: _Text | None,
        path: str | None = "/",
        domain: str | None = None,
        max_age: int | timedelta | None = None,
        expires: datetime | timedelta | None = None,
        samesite: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        comment: str | None = None,
    ) -> None: ...
    def unset_cookie(self, name: _Text) -> None: ...
    def delete_cookie(self, name: _Text, path: str = ..., domain: str | None = None) -> None: ...
    def set_error(
        self, code: int, err: BaseException | str | None = None, *, message: str | None = None
    ) -> None: ...
    def iter_content(self, read_file: bool = False) -> Iterator[_Text]: ...
    def write_status_headers(self) -> None: ...
    def write_content(self) -> None: ...
    def write(self) -> None: ...
    def __getattr__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...

@final
class StashLock:
    """The lock that all handlers of a stash share; not reentrant."""

    def acquire(self) -> None: ...
    def release(self) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

class Stash:
    """Pickled values under a path and a UUID: put once, taken once."""

    lock: StashLock
    @property
    def default_path(self) -> _Text: ...
    def __new__(
        cls, default_path: _Text, address: Any = None, authkey: bytes | None = None
    ) -> Self: ...
    def put(self, key: _Text, value: Any, path: _Text | None = None) -> None: ...
    def take(self, key: _Text, path: _Text | None = None) -> Any: ...
    def get_queue(self) -> StashQueue | SharedQueue: ...

@final
class HostsQueue:
    """A queue of bytes that the processes of a server share."""

    def __new__(cls, maxsize: int = 0, number: int | None = None) -> HostsQueue: ...
    @property
    def number(self) -> int: ...
    def push(self, item: bytes, timeout: float | None = None) -> bool: ...
    def pop(self, timeout: float | None = None) -> bytes | None: ...
    def __len__(self) -> int: ...
    def done(self) -> bool: ...
    def join(self) -> None: ...
    def remove(self) -> None: ...

class FunctionHandler:
    """Calls `func` and makes its return value the response."""

    func: Callable[[Request, Response], Any]
    def __new__(cls, func: Callable[[Request, Response], Any]) -> Self: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __call__(self, request: Request, response: Response) -> None: ...

def call_handler(function: Callable[[Any], Any], request: Any) -> Any: ...
def guess_content_type(path: str | PathLike[str]) -> str:
    """The content type of a file name."""

def directory_listing(url_path: str, path: str | PathLike[str]) -> str:
    """The HTML page that lists the directory `path` under `url_path`; OSError if it cannot."""

def json_error(code: int, message: str) -> str:
    """The JSON body of an error response."""

def content_types() -> dict[str, str]:
    """Content types by file name extension."""

def reason_phrases() -> dict[int, str]:
    """Reason phrases by status code."""

def parse_query(query: bytes) -> list[tuple[bytes, bytes]]:
    """The URL-encoded fields of `query`, in order, those without a value included."""

def log(level: int, logger: str, message: str) -> None:
    """Writes to the engine's log; `level` is Python's."""

def main(argv: list[str]) -> NoReturn:
    """Runs the command line and ends the process with its exit code."""

def start(argv: list[str]) -> NoReturn:
    """The same, in the Python that the arguments name."""

def stash_config() -> str | None:
    """The address and key of the shared stash as JSON, or None without one."""

@final
class NativeContent:
    """Content that the engine makes while it is sent, such as a trickle."""

    def __iter__(self) -> Iterator[bytes]: ...

def parse_pipes(text: str) -> list[tuple[str, list[str]]]:
    """The pipes of a pipe string, each with its arguments."""

def pipe_string(path: str, query: str) -> str | None:
    """The pipe string for a file's path and a query: of the file's name, then of the query."""

def pipe_names() -> list[str]:
    """The names of the engine's pipes."""

def apply_pipe(name: str, request: Request, response: Response, arguments: list[str]) -> None:
    """Applies one of the engine's pipes; ValueError says what is wrong with the arguments."""

def template(request: Request, content: bytes, escape_type: str = "html") -> bytes:
    """Substitutes the expressions of a template; ValueError says which cannot be."""

def load_headers(request: Request, path: str) -> list[tuple[bytes, bytes]]:
    """The header fields that ``.headers`` files give a file; ValueError for a malformed one."""

@final
class WebSocketConnection:
    """The connection of a WebSocket: raw bytes before, during and after the handshake."""

    @property
    def remote_addr(self) -> tuple[str, int]: ...
    @property
    def local_addr(self) -> tuple[str, int]: ...
    def get_remote_addr(self) -> tuple[str, int]: ...
    def get_local_addr(self) -> tuple[str, int]: ...
    def get_memorized_lines(self) -> list[bytes]: ...
    def read(self, length: int = ...) -> bytes: ...
    def write(self, data: _BytesLike) -> int: ...
    def flush(self) -> None: ...
    def expect_answer(self) -> None: ...
    def note_handler(self, path: str | PathLike[str]) -> None: ...
    def note_status(self, status: int) -> None: ...
    def report(self, error: BaseException) -> None: ...

class WebSocketStream:
    """What `wptserve.pywebsocket.stream.Stream` does for every message."""

    def __new__(cls, request: Any, options: Any) -> WebSocketStream: ...
    def receive_message(self) -> str | bytes | None: ...
    def send_message(self, message: Any, end: bool = True, binary: bool = False) -> None: ...
    def get_last_received_opcode(self) -> int: ...

@final
class PerMessageDeflate:
    """permessage-deflate of one connection."""

    def __new__(
        cls, server_max_window_bits: int | None, server_no_context_takeover: bool
    ) -> PerMessageDeflate: ...
    def set(self, compresses: bool, bfinal: bool) -> None: ...

def websocket_accept(key: bytes) -> bytes:
    """The value of Sec-WebSocket-Accept for a key."""

def websocket_is_key(key: str | bytes) -> bool:
    """Whether a text is a Sec-WebSocket-Key."""

def websocket_parse_tokens(value: str | bytes) -> list[str]:
    """The tokens of a list; ValueError when it is none."""

def websocket_parse_extensions(
    value: str | bytes,
) -> list[tuple[str, list[tuple[str, str | None]]]]:
    """The extensions of a field; ValueError when it is malformed."""

def websocket_format_extensions(
    extensions: list[tuple[str, list[tuple[str, str | None]]]],
) -> str:
    """A field out of extensions."""

def websocket_quote(value: str) -> str:
    """A value, between quotes unless it is a token."""

def websocket_deflate_offer(
    parameters: list[tuple[str, str | None]],
) -> tuple[int | None, bool, bool] | None:
    """The server's window and whether it forgets, and whether it may choose the client's window."""

def websocket_mask(data: bytes, key: bytes) -> bytes:
    """Bytes, masked with a key of four."""

class H2Request(Request):
    """A request over HTTP/2."""

    frames: list[Any]
    @property
    def h2_stream_id(self) -> int: ...

class H2Response(Response):
    """A response over HTTP/2."""

class H2ResponseWriter(ResponseWriter):
    """Writes a response over HTTP/2, down to single frames. False means that the peer is gone.

    What has `raw` in its name is sent as it is, in any state and without flow control.
    """

    stream_ended: bool
    @property
    def logger(self) -> Any: ...
    def write_headers(
        self,
        headers: Iterable[tuple[_Text, _FieldValue]],
        status_code: int | _Text,
        status_message: _Text | None = None,
        stream_id: int | None = None,
        last: bool = False,
    ) -> bool: ...
    def write_informational(
        self, status_code: int | _Text, headers: Iterable[tuple[_Text, _FieldValue]]
    ) -> bool: ...
    def write_trailers(self, headers: Iterable[tuple[_Text, _FieldValue]]) -> bool: ...
    def write_data(
        self, item: _Text | _Readable, last: bool = False, stream_id: int | None = None
    ) -> bool: ...
    def write_data_frame(self, data: bytes, last: bool, stream_id: int | None = None) -> bool: ...
    def write_push(
        self,
        promise_headers: Iterable[tuple[_Text, _FieldValue]],
        push_stream_id: int | None = None,
        status: int | _Text | None = None,
        response_headers: Iterable[tuple[_Text, _FieldValue]] | None = None,
        response_data: _Text | _Readable | None = None,
    ) -> int: ...
    def end_stream(self, stream_id: int | None = None) -> bool: ...
    def write_raw_header_frame(
        self,
        headers: Iterable[tuple[_Text, _FieldValue]],
        stream_id: int | None = None,
        end_stream: bool = False,
        end_headers: bool = False,
        frame_cls: Any = None,
    ) -> bool: ...
    def write_raw_continuation_frame(
        self,
        headers: Iterable[tuple[_Text, _FieldValue]],
        stream_id: int | None = None,
        end_headers: bool = False,
    ) -> bool: ...
    def write_raw_data_frame(
        self, data: bytes, stream_id: int | None = None, end_stream: bool = False
    ) -> bool: ...
    def write_raw(self, raw_data: bytes) -> bool: ...
    def reset_stream(self, error_code: int = 0, stream_id: int | None = None) -> bool: ...
    def write_goaway(
        self,
        error_code: int = 0,
        last_stream_id: int | None = None,
        debug_data: bytes | None = None,
    ) -> bool: ...
    def get_max_payload_size(self, stream_id: int | None = None) -> int: ...
    def decode(self, data: _Text) -> str: ...

@final
class Engine:
    """A server of `wptserve.server`: listens from its making on, and accepts from `start` on."""

    def __new__(
        cls,
        host: str,
        port: int,
        *,
        http2: bool = False,
        key: str | None = None,
        certificate: str | None = None,
        encrypt_after_connect: bool = False,
    ) -> Engine: ...
    @property
    def addresses(self) -> list[tuple[str, int]]: ...
    def fileno(self) -> int: ...
    def start(
        self,
        doc_root: str,
        ws_doc_root: str | None,
        config: Any,
        settings: str,
        routes: list[Any],
        rewrites: list[Any],
        rewrite: Callable[[str, str], str] | None,
        latency: float | None,
        verbose: bool,
    ) -> None: ...
    def route(
        self,
        routes: list[Any],
        rewrites: list[Any],
        rewrite: Callable[[str, str], str] | None,
    ) -> None: ...
    def stop(self) -> None: ...
    def abandon(self) -> None: ...

def certificate_files(
    folder: str, hosts: list[str], days: int, anew: bool
) -> tuple[str, str, str]:
    """The key, a certificate for hosts and the authority's certificate in a folder."""

def install() -> None:
    """Makes the modules inside the extension importable, before any that are installed."""
