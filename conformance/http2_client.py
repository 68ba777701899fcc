"""One exchange over HTTP/2, with TLS or without, and what came of it, stream by stream."""

import socket
import ssl
import time

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import ProtocolError

PATIENCE = 5.0
# How long a stream may be silent before the exchange counts as over.
QUIET = 1.0


def ask(
    address: tuple[str, int],
    path: str,
    method: str = "GET",
    fields: list[tuple[str, str]] | None = None,
    frames: list[bytes] | None = None,
    authority: str = "a.test:80",
    tls: bool = False,
    patience: float = PATIENCE,
    quiet: float = QUIET,
) -> dict[int, list[tuple]]:
    """Send one request, each of `frames` as a DATA frame; the events of every stream."""
    config = H2Configuration(client_side=True, header_encoding=None)
    client = H2Connection(config)
    client.initiate_connection()
    scheme = "https" if tls else "http"
    head = [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path)]
    client.send_headers(1, head + (fields or []), end_stream=not frames)
    for number, frame in enumerate(frames or [], 1):
        client.send_data(1, frame, end_stream=number == len(frames))
    streams: dict[int, list[tuple]] = {}
    with _connected(address, tls, patience) as connection:
        connection.sendall(client.data_to_send())
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and not _is_over(streams):
            connection.settimeout(quiet if streams else patience)
            try:
                data = connection.recv(65536)
            except TimeoutError:
                break
            if not data:
                break
            try:
                received = client.receive_data(data)
            except ProtocolError as error:
                streams.setdefault(0, []).append(("malformed", type(error).__name__))
                break
            for event in received:
                _note(client, event, streams)
            connection.sendall(client.data_to_send())
    return streams


def _connected(address: tuple[str, int], tls: bool, patience: float) -> socket.socket:
    connection = socket.create_connection(address, patience)
    if not tls:
        return connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context.wrap_socket(connection)


def _is_over(streams: dict[int, list[tuple]]) -> bool:
    def ended(stream: list[tuple]) -> bool:
        return bool(stream) and stream[-1][0] in ("end", "reset")

    return 1 in streams and all(ended(stream) for stream in streams.values())


def _note(client: H2Connection, event: events.Event, streams: dict[int, list[tuple]]) -> None:
    number = getattr(event, "stream_id", None)
    match event:
        case events.ResponseReceived() | events.InformationalResponseReceived():
            streams.setdefault(number, []).append(("head", list(event.headers)))
        case events.TrailersReceived():
            streams.setdefault(number, []).append(("trailers", list(event.headers)))
        case events.DataReceived():
            client.acknowledge_received_data(event.flow_controlled_length, number)
            stream = streams.setdefault(number, [])
            if stream and stream[-1][0] == "data":
                stream[-1] = ("data", stream[-1][1] + event.data)
            elif event.data:
                stream.append(("data", event.data))
        case events.PushedStreamReceived():
            promise = ("promise", event.parent_stream_id, list(event.headers))
            streams.setdefault(event.pushed_stream_id, []).append(promise)
        case events.StreamEnded():
            streams.setdefault(number, []).append(("end",))
        case events.StreamReset():
            streams.setdefault(number, []).append(("reset", int(event.error_code)))
        case events.ConnectionTerminated():
            streams.setdefault(0, []).append(("goaway", int(event.error_code)))
