"""Take out of an outcome what may differ between two servers that agree.

That is: the servers' own values of Date and Server, the server's own port, the doc root's
place, times a case masks, the server's own frames in a traceback, what a gzip member says of
its maker, and the boundary of a multipart body.
"""

import dataclasses
import json
import pathlib
import re
import zlib

from servers import Server
from wire import Outcome, Response

_FRAME = re.compile(r'^ *File "(?P<file>[^"]*)", line .*$', re.M)
_TRACEBACK = "Traceback (most recent call last):\n"
# A handler may set these two itself, and then they are compared.
_IS_OWN_VALUE = {
    b"date": re.compile(rb"\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT", re.I),
    b"server": re.compile(rb"(BaseHTTP|wptserve)/.*", re.I),
}
_NEVER = re.compile(rb"(?!)")
# Random values a response may hold.
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_NIL_UUID = b"00000000-0000-4000-8000-000000000000"
_BYTERANGES = re.compile(rb"\s*multipart/byteranges;\s*boundary=(.+)", re.I)
_GZIP = b"\x1f\x8b\x08"


def normalise(
    outcome: Outcome, server: Server, mask: tuple[bytes, ...] = ()
) -> Outcome:
    """The outcome as it is to be compared."""
    responses = [_normalise_response(r, server, mask) for r in outcome.responses]
    return dataclasses.replace(outcome, responses=responses)


def _normalise_response(response: Response, server: Server, mask: tuple[bytes, ...]) -> Response:
    response = _without_boundary(response)
    body = _without_server_frames(_without_gzip(response.body), server)
    body = _mask_text(body, server, mask)
    framed = str(len(response.body)).encode()
    headers = []
    for line in response.headers:
        name, colon, value = line.partition(b":")
        if _IS_OWN_VALUE.get(name.lower(), _NEVER).fullmatch(value.strip()):
            value = b" *"
        elif name.lower() == b"content-length" and value.strip() == framed:
            value = b" %d" % len(body)
        else:
            value = _mask_text(value, server, mask)
        headers.append(name + colon + value)
    return dataclasses.replace(response, headers=headers, body=body)


def _without_boundary(response: Response) -> Response:
    """The same response with a boundary of its own choice in a multipart/byteranges body."""
    types = response.header_values(b"content-type")
    match = _BYTERANGES.fullmatch(types[-1]) if types else None
    if match is None:
        return response
    headers = [
        line.replace(match[1], b"BOUNDARY") if _BYTERANGES.search(line) else line
        for line in response.headers
    ]
    body = response.body.replace(b"--" + match[1], b"--BOUNDARY")
    framed = b"Content-Length: %d" % len(response.body)
    headers = [b"Content-Length: %d" % len(body) if h == framed else h for h in headers]
    return dataclasses.replace(response, headers=headers, body=body)


def _without_gzip(body: bytes) -> bytes:
    """A complete gzip member as its content; how it was packed is the packer's affair."""
    if not body.startswith(_GZIP):
        return body
    unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        content = unpacking.decompress(body)
    except zlib.error:
        return body
    if not unpacking.eof:
        return body
    return b"gzip flags %d (%s)" % (body[3], _without_gzip(content)) + unpacking.unused_data


def _mask_text(data: bytes, server: Server, mask: tuple[bytes, ...]) -> bytes:
    for name, port in [(b"PORT", server.port), *((b"PORT2", p) for p in server.other_ports)]:
        data = re.sub(rb"(?<!\d)%d(?!\d)" % port, name, data)
    data = data.replace(str(server.doc_root).encode(), b"DOCROOT")
    data = _UUID.sub(_NIL_UUID, data)
    for pattern in mask:
        data = re.sub(pattern, lambda m: re.sub(rb"\d", b"9", m[0]), data)
    return data


def _without_server_frames(body: bytes, server: Server) -> bytes:
    """An error body with only the frames of files under the doc root."""
    if not body.startswith(b'{"error": {"code": 5'):
        return body
    try:
        message = json.loads(body)["error"]["message"]
    except ValueError:
        return body
    head, traceback, frames = message.partition(_TRACEBACK)
    if not traceback:
        return body
    starts = [match.start() for match in _FRAME.finditer(frames)]
    kept = []
    for start, end in zip(starts, [*starts[1:], len(frames)]):
        frame = frames[start:end]
        # The exception itself follows the last frame without a line break of its own.
        if end == len(frames):
            lines = frame.rstrip("\n").split("\n")
            last = next(
                (i for i, line in enumerate(lines[1:], 1) if re.match(r"^  \S", line)), len(lines)
            )
            frame, exception = "\n".join(lines[:last]), "\n".join(lines[last:])
        if _is_of_the_root(_FRAME.match(frame)["file"], server.doc_root):
            kept.append(frame.rstrip("\n"))
    if not starts:
        exception = frames
    message = "\n".join([head + traceback.rstrip("\n"), *kept, exception.rstrip("\n")])
    code = body[: body.index(b",")]
    return code + b', "message": ' + json.dumps(message).encode() + b"}}"


def _is_of_the_root(file: str, doc_root: pathlib.Path) -> bool:
    """Whether a frame is of a file that is served; a tree's own server stands in the tree."""
    return file.startswith(str(doc_root)) and not file.startswith(f"{doc_root}/tools/wptserve/")
