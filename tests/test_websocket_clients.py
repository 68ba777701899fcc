"""The client libraries `websockets` and `wsproto` against our echo, with compression and without."""

import socket

import pytest

import websocket_servers

websockets_client = pytest.importorskip("websockets.sync.client")
deflate = pytest.importorskip("websockets.extensions.permessage_deflate")
wsproto = pytest.importorskip("wsproto")
wsproto_extensions = pytest.importorskip("wsproto.extensions")

MESSAGES = ["", "text \xe9\U0001f600", b"", b"\x00\xff" * 200, "a" * 200_000, b"b" * 70_000]
PARAMETERS = [
    {},
    {"server_no_context_takeover": True},
    {"client_no_context_takeover": True},
    {"server_max_window_bits": 9, "client_max_window_bits": 10},
    {"server_no_context_takeover": True, "client_no_context_takeover": True,
     "server_max_window_bits": 12, "client_max_window_bits": True},
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    """Our server with the echo handler."""
    work = tmp_path_factory.mktemp("clients")
    with websocket_servers.start_ours(websocket_servers.HANDLERS, work) as server:
        yield server


@pytest.mark.parametrize("parameters", [None, *PARAMETERS], ids=str)
def test_websockets(server, parameters):
    offers = None
    if parameters is not None:
        parameters = {"client_max_window_bits": None, **parameters}
        offers = [deflate.ClientPerMessageDeflateFactory(**parameters)]
    with websockets_client.connect(
        f"ws://127.0.0.1:{server.port}/echo", extensions=offers, compression=None,
        subprotocols=["a", "b"], max_size=None,
    ) as client:
        assert client.subprotocol == "b"
        assert bool(client.protocol.extensions) == (offers is not None)
        for message in MESSAGES * 2:
            client.send(message)
            assert client.recv(10) == message
        client.send(["in ", "parts"])
        assert client.recv(10) == "in parts"
        assert client.ping(b"ping").wait(10)
        client.close(3001, "done")
        assert (client.close_code, client.close_reason) == (3001, "done")


@pytest.mark.parametrize("parameters", [None, *PARAMETERS], ids=str)
def test_wsproto(server, parameters):
    from wsproto import events

    extensions = []
    if parameters is not None:
        known = {k: 15 if v is True and "bits" in k else v for k, v in parameters.items()}
        extensions = [wsproto_extensions.PerMessageDeflate(**known)]
    client = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
    with socket.create_connection(server.address, 10) as connection:
        said: list[object] = []

        def send(event) -> None:
            connection.sendall(client.send(event))

        def until(kind) -> object:
            parts: list = []
            while True:
                for event in client.events():
                    said.append(event)
                    if isinstance(event, events.Message):
                        parts.append(event.data)
                        if event.message_finished and isinstance(event, kind):
                            return (b"" if isinstance(parts[0], (bytes, bytearray)) else "").join(parts)
                    elif isinstance(event, kind):
                        return event
                client.receive_data(connection.recv(1 << 16) or None)

        send(events.Request(host="localhost", target="/echo", extensions=extensions))
        accepted = until(events.AcceptConnection)
        assert bool(accepted.extensions) == (parameters is not None)
        for message in MESSAGES * 2:
            kind = events.TextMessage if isinstance(message, str) else events.BytesMessage
            send(kind(data=message))
            assert until(kind) == message
        send(events.Ping(payload=b"ping"))
        assert bytes(until(events.Pong).payload) == b"ping"
        send(events.CloseConnection(code=3001, reason="done"))
        closed = until(events.CloseConnection)
        assert (closed.code, closed.reason) == (3001, "done")
