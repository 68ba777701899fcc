"""Keys and certificates that are made when they are missing."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any, Iterable

from .. import _wptserve


class OpenSSLEnvironment:
    """The type ``openssl``: an authority and a pair for the hosts in a folder.

    The files have the reference's names (``cacert.pem``, ``cacert.key``, ``HOST.pem``,
    ``HOST.key``) and are used again while they last. The engine makes them: there is no need of
    the program ``openssl``, nor of a password, and `openssl_binary`, `password` and
    `base_conf_path` have no effect.

    :param base_path: The folder; by default a temporary one, removed at the end.
    :param force_regenerate: Whether files that are there are replaced.
    :param duration: How many days the certificates last.
    """

    ssl_enabled = True

    def __init__(
        self,
        logger: Any,
        openssl_binary: str = "openssl",
        base_path: str | None = None,
        password: str = "web-platform-tests",
        force_regenerate: bool = False,
        duration: int = 30,
        base_conf_path: str | None = None,
    ) -> None:
        self.logger = logger
        self.temporary = base_path is None
        self.base_path = os.path.abspath(tempfile.mkdtemp() if base_path is None else base_path)
        self.force_regenerate = force_regenerate
        self.duration = duration
        self.host_certificates: dict[tuple[str, ...], tuple[str, str, str]] = {}

    def __enter__(self) -> OpenSSLEnvironment:
        os.makedirs(self.base_path, exist_ok=True)
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.temporary:
            shutil.rmtree(self.base_path, ignore_errors=True)

    def host_cert_path(self, hosts: Iterable[str]) -> tuple[str, str]:
        """The key and a certificate for all of `hosts`."""
        key, certificate, _ = self._files(hosts)
        return key, certificate

    def ca_cert_path(self, hosts: Iterable[str]) -> str:
        """The certificate of the authority."""
        return self._files(hosts)[2]

    def _files(self, hosts: Iterable[str]) -> tuple[str, str, str]:
        names = tuple(sorted(hosts, key=lambda host: (len(host), host)))
        if names not in self.host_certificates:
            self.host_certificates[names] = _wptserve.certificate_files(
                self.base_path, list(names), self.duration, self.force_regenerate
            )
        return self.host_certificates[names]
