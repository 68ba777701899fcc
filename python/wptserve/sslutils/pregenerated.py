"""Keys and certificates that exist."""

from __future__ import annotations

from typing import Any, Iterable


class PregeneratedSSLEnvironment:
    """The type ``pregenerated``: files that the configuration names."""

    ssl_enabled = True

    def __init__(
        self,
        logger: Any,
        host_key_path: str,
        host_cert_path: str,
        ca_cert_path: str | None = None,
    ) -> None:
        self._host_key_path = host_key_path
        self._host_cert_path = host_cert_path
        self._ca_cert_path = ca_cert_path

    def __enter__(self) -> PregeneratedSSLEnvironment:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def host_cert_path(self, hosts: Iterable[str]) -> tuple[str, str]:
        """The key and the certificate, whatever the hosts."""
        return self._host_key_path, self._host_cert_path

    def ca_cert_path(self, hosts: Iterable[str]) -> str | None:
        """The certificate of the authority; None when it is not known."""
        return self._ca_cert_path
