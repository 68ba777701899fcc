"""No TLS."""

from __future__ import annotations

from typing import Any, Iterable


class NoSSLEnvironment:
    """The type ``none``: there are no keys and no certificates."""

    ssl_enabled = False

    def __init__(self, *_arguments: Any, **_options: Any) -> None:
        pass

    def __enter__(self) -> NoSSLEnvironment:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def host_cert_path(self, hosts: Iterable[str]) -> tuple[None, None]:
        """No files."""
        return None, None

    def ca_cert_path(self, hosts: Iterable[str]) -> None:
        """No file."""
        return None
