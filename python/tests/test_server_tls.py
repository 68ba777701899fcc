"""Servers that speak TLS, and where their certificates come from."""

from __future__ import annotations

import logging
import socket
import ssl
import urllib.request
from contextlib import contextmanager

import pytest
from server_harness import route, serving

import wptserve.server
from wptserve import sslutils
from wptserve.config import ConfigBuilder

logger = logging.getLogger("test")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    with sslutils.get_cls("openssl")(logger, base_path=str(folder)) as environment:
        yield environment


def trusting(path):
    context = ssl.create_default_context(cafile=path)
    # What old certificates lack is no matter here.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    return context


def test_a_server_with_tls(environment, tmp_path):
    hosts = ["localhost"]
    key, certificate = environment.host_cert_path(hosts)
    options = {"use_ssl": True, "key_file": key, "certificate": certificate}
    with serving(tmp_path, **options) as server:
        assert server.use_ssl and server.httpd.scheme == "https"
        assert server.get_url("/x") == f"https://127.0.0.1:{server.port}/x"
        route(server, "/url", lambda request, response: request.url)
        context = trusting(environment.ca_cert_path(hosts))
        url = f"https://localhost:{server.port}/url"
        with urllib.request.urlopen(url, context=context, timeout=10) as reply:
            assert reply.read() == url.encode()


@contextmanager
def http2(environment, folder, **options):
    """A server for HTTP/2, and a client that is connected."""
    connection = pytest.importorskip("h2.connection")
    config = pytest.importorskip("h2.config").H2Configuration(header_encoding="utf-8")
    key, certificate = environment.host_cert_path(["localhost"])
    options |= {
        "use_ssl": True, "key_file": key, "certificate": certificate, "http2": True,
        "handler_cls": wptserve.server.Http2WebTestRequestHandler,
    }  # fmt: skip
    context = trusting(environment.ca_cert_path(["localhost"]))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        serving(folder, **options) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as encrypted,
    ):
        assert encrypted.selected_alpn_protocol() == "h2"
        client = connection.H2Connection(config)
        client.initiate_connection()
        yield server, Http2Client(client, encrypted)


class Http2Client:
    """One stream of a connection."""

    def __init__(self, connection, encrypted):
        self.connection = connection
        self.encrypted = encrypted
        self.seen = {}
        self.data = b""

    def wait_for(self, *events):
        """Sends what there is to send, and receives until one of these has come."""
        while True:
            self.encrypted.sendall(self.connection.data_to_send())
            if any(event in self.seen for event in events):
                return
            received = self.encrypted.recv(65536)
            assert received, f"the connection ended; got {list(self.seen)}"
            for event in self.connection.receive_data(received):
                self.seen[type(event).__name__] = event
                if type(event).__name__ == "DataReceived":
                    self.data += event.data

    def status(self):
        return dict(self.seen["ResponseReceived"].headers)[":status"]


def test_a_server_with_http2(environment, tmp_path):
    with http2(environment, tmp_path) as (server, client):
        assert server.http2 and server.httpd.scheme == "http2"
        assert server.get_url("/x") == f"https://127.0.0.1:{server.port}/x"
        route(server, "/a", lambda request, response: "a " + request.method)
        authority = f"localhost:{server.port}"
        fields = [(":method", "GET"), (":scheme", "https"), (":authority", authority)]
        client.connection.send_headers(1, [*fields, (":path", "/a")], end_stream=True)
        client.wait_for("StreamEnded")
        assert (client.status(), client.data) == ("200", b"a GET")


def test_web_sockets_over_http2(environment, tmp_path):
    """RFC 8441: the handlers are those of `ws_doc_root`."""
    handlers = tmp_path / "sockets"
    handlers.mkdir()
    (handlers / "echo_wsh.py").write_text(
        "def web_socket_do_extra_handshake(request):\n    pass\n\n"
        "def web_socket_transfer_data(request):\n"
        "    request.ws_stream.send_message('got ' + request.ws_stream.receive_message())\n"
    )
    with http2(environment, tmp_path, ws_doc_root=str(handlers)) as (server, client):
        client.wait_for("RemoteSettingsChanged")
        authority = f"localhost:{server.port}"
        fields = [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"),
            (":authority", authority), (":path", "/echo"),
            ("sec-websocket-version", "13"), ("origin", f"https://{authority}"),
        ]  # fmt: skip
        client.connection.send_headers(1, fields)
        client.wait_for("ResponseReceived")
        assert client.status() == "200"
        # A text frame under a mask of zeros.
        client.connection.send_data(1, b"\x81\x82\0\0\0\0hi")
        client.wait_for("DataReceived")
        assert client.data.startswith(b"\x81\x06got hi")


def test_files_are_used_again(environment):
    again = sslutils.get_cls("openssl")(logger, base_path=environment.base_path)
    with again:
        assert again.host_cert_path(["localhost"]) == environment.host_cert_path(["localhost"])
        with open(again.ca_cert_path(["localhost"])) as one:
            assert "BEGIN CERTIFICATE" in one.read()


def test_other_environments():
    assert sorted(sslutils.environments) == ["none", "openssl", "pregenerated"]
    with sslutils.get_cls("none")(logger) as none:
        assert not none.ssl_enabled
        assert none.host_cert_path(["a"]) == (None, None) and none.ca_cert_path(["a"]) is None
    with sslutils.get_cls("pregenerated")(logger, "k", "c", ca_cert_path="ca") as given:
        assert given.ssl_enabled
        assert given.host_cert_path(["a"]) == ("k", "c") and given.ca_cert_path(["a"]) == "ca"
    with pytest.raises(ValueError):
        sslutils.get_cls("no such")


def test_the_configuration_s_files():
    builder = ConfigBuilder(
        logger,
        browser_host="localhost",
        ssl={"type": "pregenerated", "encrypt_after_connect": False,
             "pregenerated": {"host_key_path": "k", "host_cert_path": "c"}},
    )  # fmt: skip
    with builder as config:
        assert config.ssl_config == {
            "key_path": "k", "cert_path": "c", "ca_cert_path": None,
            "encrypt_after_connect": False,
        }  # fmt: skip
