"""TLS: the responses of other tests again, encrypted from the first byte or after CONNECT."""

import contextlib
import copy
import subprocess

import pytest

import conftest
import servers
from case import get, parametrize, post, request, send
from wpt_config import CONFIG

CASES = [
    get("tls-url", "/request/url_parts.py?a=b"),
    get("tls-missing", "/static/no-such-file"),
    get("tls-error", "/errors/value_error.py"),
    send("tls-head", request("/returns/str.py", "HEAD")),
    send("tls-keep-alive", request("/returns/str.py"), request("/probe.py")),
    post("tls-body", "/body/body.py", b"a=b&c=d"),
    post("tls-body-long", "/body/length.py", b"a" * 100_000),
    get("tls-writer", "/writer/content_with_length.py"),
    get("tls-raw", "/writer/write_raw_response.py"),
]

# Their responses end with the connection, which the reference leaves open once it has begun TLS
# after CONNECT.
ENDING = [
    get("tls-static-file", "/static/page.html"),
    get("tls-static-template", "/templates/location.sub.txt"),
    get("tls-raw-close", "/writer/write_raw_response_close.py"),
    send("tls-connection-close", request("/returns/str.py", headers=[("Connection", "close")])),
]


@pytest.fixture(scope="module")
def key_pair(tmp_path_factory):
    """A key and a certificate: made by our server, whose `ssl.type` `openssl` keeps them."""
    folder = tmp_path_factory.mktemp("certs").resolve()
    config = folder / "config.json"
    config.write_text('{"ssl": {"type": "openssl", "openssl": {"base_path": "pair"}}}')
    command = [str(servers.ours_binary()), "certs", "show", "--config", str(config)]
    subprocess.run([*command, "--root", str(folder)], check=True, stdout=subprocess.DEVNULL)
    (key,) = (path for path in (folder / "pair").glob("*.key") if path.stem != "cacert")
    return key, key.with_suffix(".pem")


@contextlib.contextmanager
def encrypted(work, doc_root, expectations, key_pair, after_connect):
    """Both servers with the same pair."""
    config = copy.deepcopy(CONFIG) | {"tls": True}
    config["ports"] = {}
    config["ssl"]["encrypt_after_connect"] = after_connect
    key, certificate = map(str, key_pair)
    config["ssl"]["pregenerated"] = {"host_key_path": key, "host_cert_path": certificate}
    with conftest.start_pair(work, doc_root, config) as (subject, reference):
        yield conftest.Pair(subject, reference, expectations)


@pytest.fixture(scope="module")
def tls_pair(tmp_path_factory, doc_root, expectations, key_pair):
    """Encrypted from the first byte on."""
    work = tmp_path_factory.mktemp("tls").resolve()
    with encrypted(work, doc_root, expectations, key_pair, False) as pair:
        yield pair


@pytest.fixture(scope="module")
def connect_pair(tmp_path_factory, doc_root, expectations, key_pair):
    """Encrypted after a CONNECT request."""
    work = tmp_path_factory.mktemp("connect").resolve()
    with encrypted(work, doc_root, expectations, key_pair, True) as pair:
        yield pair


@parametrize(CASES + ENDING)
def test_tls(tls_pair, case):
    tls_pair.check(case)


@parametrize(CASES)
def test_encrypt_after_connect(connect_pair, case):
    connect_pair.check(case)
