"""Servers that speak TLS, and where their certificates come from."""

from __future__ import annotations

import logging
import socket
import ssl
import urllib.request

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


def test_a_server_with_http2(environment, tmp_path):
    connection = pytest.importorskip("h2.connection")
    key, certificate = environment.host_cert_path(["localhost"])
    options = {
        "use_ssl": True, "key_file": key, "certificate": certificate, "http2": True,
        "handler_cls": wptserve.server.Http2WebTestRequestHandler,
    }  # fmt: skip
    context = trusting(environment.ca_cert_path(["localhost"]))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with serving(tmp_path, **options) as server:
        assert server.http2 and server.httpd.scheme == "http2"
        assert server.get_url("/x") == f"https://127.0.0.1:{server.port}/x"
        route(server, "/a", lambda request, response: "a " + request.method)
        authority = f"localhost:{server.port}"
        fields = [(":method", "GET"), (":scheme", "https"), (":authority", authority)]
        client = connection.H2Connection()
        client.initiate_connection()
        client.send_headers(1, [*fields, (":path", "/a")], end_stream=True)
        seen: dict = {}
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as encrypted,
        ):
            assert encrypted.selected_alpn_protocol() == "h2"
            encrypted.sendall(client.data_to_send())
            while "StreamEnded" not in seen:
                for event in client.receive_data(encrypted.recv(65536)):
                    seen[type(event).__name__] = event
                encrypted.sendall(client.data_to_send())
    status = dict(seen["ResponseReceived"].headers)
    assert status.get(":status", status.get(b":status")) in ("200", b"200")
    assert seen["DataReceived"].data == b"a GET"


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
