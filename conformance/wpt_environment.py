"""A running WPT environment as a browser sees it: its ports, its names and its key."""

import base64
import dataclasses
import hashlib
import json
import pathlib
import ssl

from browser_pages import Page

BROWSER_HOST = "web-platform.test"
ALTERNATE_HOST = "not-web-platform.test"
ADDRESS = "127.0.0.1"


@dataclasses.dataclass(frozen=True)
class Environment:
    """The ports of every scheme, in their order."""

    ports: dict[str, list[int]]

    @classmethod
    def of_ready_file(cls, path: pathlib.Path) -> "Environment":
        """The environment that a server announced."""
        ports: dict[str, list[int]] = {}
        for listener in json.loads(path.read_text())["listeners"]:
            of_scheme = ports.setdefault(listener["scheme"], [])
            if listener["port"] not in of_scheme:
                of_scheme.append(listener["port"])
        return cls(ports)

    def url(self, page: Page) -> str:
        """Where the page is loaded from."""
        scheme = "http" if page.scheme == "http" else "https"
        return f"{scheme}://{page.label}{BROWSER_HOST}:{self.ports[page.scheme][0]}{page.url}"

    def flags(self) -> list[str]:
        """Chromium's flags with which the names resolve and the key is trusted."""
        rules = ["MAP nonexistent.* ^NOTFOUND"]
        for host in (BROWSER_HOST, ALTERNATE_HOST):
            rules += [f"MAP {host} {ADDRESS}", f"MAP *.{host} {ADDRESS}"]
        flags = ["--host-resolver-rules=" + ", ".join(rules)]
        secure = [port for scheme in ("https", "h2") for port in self.ports.get(scheme, [])]
        if secure:
            flags.append(f"--ignore-certificate-errors-spki-list={key_hash(secure[0])}")
        return flags


def key_hash(port: int) -> str:
    """The hash of the key that a TLS server shows, as Chromium names keys."""
    pem = ssl.get_server_certificate((ADDRESS, port))
    return base64.b64encode(hashlib.sha256(_public_key(ssl.PEM_cert_to_DER_cert(pem))).digest()).decode()


def _public_key(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate (RFC 5280, section 4.1)."""
    outer = _elements(certificate)[0]
    fields = _elements(_content(_elements(_content(outer))[0]))
    # An explicit version stands before the serial number, or none does.
    versioned = fields[0][0] == 0xA0
    # Serial number, signature, issuer, validity and subject come first.
    return fields[5 + versioned]


def _elements(data: bytes) -> list[bytes]:
    """The DER elements that stand one after the other, each with its tag and length."""
    found = []
    while data:
        head, length = _head(data)
        found.append(data[:head + length])
        data = data[head + length:]
    return found


def _content(element: bytes) -> bytes:
    return element[_head(element)[0]:]


def _head(data: bytes) -> tuple[int, int]:
    """How long tag and length are together, and the length that they name."""
    if data[1] < 0x80:
        return 2, data[1]
    count = data[1] & 0x7F
    return 2 + count, int.from_bytes(data[2:2 + count])
