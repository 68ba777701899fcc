"""HTTPS with the user's own authority, and `wptserve certs`."""

import json
import ssl
import stat
import subprocess
import urllib.request

import pytest

import running


@pytest.fixture
def secure(serve, write, tmp_path):
    """A server with a port for HTTPS; its URL, and a context that trusts its authority alone."""
    write("page.txt", "page")
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"ports": {"http": ["auto"], "https": ["auto"]}}))
    server = serve("--config", config, port=None)
    ports = {entry["scheme"]: entry["port"] for entry in server.ready["listeners"]}
    authority = running.run("certs", "ca").stdout.strip()
    return f"https://localhost:{ports['https']}", ssl.create_default_context(cafile=authority)


def test_a_start_makes_an_authority_and_a_certificate(secure):
    url, context = secure
    with urllib.request.urlopen(f"{url}/page.txt", context=context) as response:
        assert response.read() == b"page"


def test_handlers_see_real_files(secure, write):
    write("ssl.py", """
        import json
        def main(request, response):
            config = request.server.config["ssl_config"]
            files = [open(config[key]).readline() for key in ("key_path", "cert_path", "ca_cert_path")]
            return json.dumps([request.url_parts.scheme, *files])
    """)
    url, context = secure
    with urllib.request.urlopen(f"{url}/ssl.py", context=context) as response:
        scheme, key, certificate, authority = json.load(response)
    assert scheme == "https"
    assert "BEGIN PRIVATE KEY" in key
    assert "BEGIN CERTIFICATE" in certificate and "BEGIN CERTIFICATE" in authority


def test_processes_at_once_make_one_authority(tmp_path):
    command = [running.binary(), "certs", "spki", "--root", str(tmp_path)]
    environment = running.environment(XDG_DATA_HOME=str(tmp_path / "data"))
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(8)
    ]
    hashes = {process.communicate(timeout=20)[0] for process in processes}
    assert len(hashes) == 1 and all(process.returncode == 0 for process in processes)
    folder = tmp_path / "data" / "wptserve"
    assert [path.name for path in folder.iterdir()] == ["authority"]
    assert (folder / "authority" / "ca.key").stat().st_mode & 0o777 == 0o600


def test_show_as_json(tmp_path):
    shown = json.loads(running.run("certs", "show", "--json", "--root", tmp_path).stdout)
    assert shown["certificate"]["hosts"] == ["127.0.0.1", "localhost", "::1"]
    assert shown["spki_hash"] == shown["authority"]["spki_hash"]
    assert shown["spki_hash"] == running.run("certs", "spki", "--root", tmp_path).stdout.strip()


def test_what_is_wrong_with_a_file_is_said(tmp_path):
    config = tmp_path / "config.json"
    pair = {"host_key_path": "host.key", "host_cert_path": "host.pem"}
    config.write_text(json.dumps({
        "ports": {"https": ["auto"]}, "ssl": {"type": "pregenerated", "pregenerated": pair},
    }))
    key, certificate = tmp_path / "host.key", tmp_path / "host.pem"

    def failure() -> str:
        return running.failed(running.run("--config", config, tmp_path), 5)

    assert failure() == (
        f"the certificate {certificate} cannot be used: it cannot be read: "
        "No such file or directory (os error 2)"
    )
    certificate.write_text("nothing")
    assert "it holds no PEM certificate" in failure()
    certificate.write_bytes(open(running.run("certs", "ca").stdout.strip(), "rb").read())
    key.write_bytes(certificate.read_bytes())
    assert failure() == f"the key {key} cannot be used: it holds a certificate and no private key"
    key.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
    assert f"it is encrypted; `openssl pkey -in {key} -out {key}`" in failure()
    key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    assert f"the key {key} cannot be used: " in failure()


def test_the_authority_is_for_its_owner_alone(tmp_path):
    def show():
        result = running.run("certs", "spki", XDG_DATA_HOME=str(tmp_path))
        assert result.returncode == 0, result.stderr
        return result.stdout

    def mode(path):
        return stat.S_IMODE(path.stat().st_mode)

    made = show()
    folder = tmp_path / "wptserve" / "authority"
    assert (mode(folder), mode(folder / "ca.key")) == (0o700, 0o600)
    folder.chmod(0o755)
    (folder / "ca.key").chmod(0o644)
    assert show() == made
    assert (mode(folder), mode(folder / "ca.key")) == (0o700, 0o600)
