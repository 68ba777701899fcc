"""The configuration that handlers read, and its builder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Iterable, Iterator

if TYPE_CHECKING:
    import logging


class Config(Mapping):  # type: ignore[type-arg]
    """Settings, read as attributes or items; ValueError on writing, and for a missing item."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        for name in data:
            if name.startswith("_"):
                raise ValueError(f"{name}: a configuration key may not begin with an underscore")
        self.__dict__.update(data)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __getitem__(self, key: str) -> Any:
        try:
            return getattr(self, key)
        except AttributeError:
            raise ValueError(f"no configuration key {key}") from None

    def __setattr__(self, key: str, value: Any) -> None:
        raise ValueError(f"the configuration cannot be changed (key {key})")

    __setitem__ = __setattr__

    def __contains__(self, key: object) -> bool:
        return key in self.__dict__

    def __iter__(self) -> Iterator[str]:
        return iter([name for name in self.__dict__ if not name.startswith("_")])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __str__(self) -> str:
        return str(self.__dict__)

    def as_dict(self) -> dict[str, Any]:
        """The settings in JSON's types."""
        plain: dict[str, Any] = json_types(self.__dict__, skip={"_logger"})
        return plain


def json_types(obj: Any, skip: Iterable[str] | None = None) -> Any:
    """`obj` with every iterable in it made a list, and the keys in `skip` left out at the top.

    Raises ValueError for what JSON cannot say.
    """
    if isinstance(obj, dict):
        skipped = frozenset(skip or ())
        return {key: json_types(value) for key, value in obj.items() if key not in skipped}
    if obj is None or isinstance(obj, (str, int, float)):
        return obj
    if hasattr(obj, "__iter__"):
        return [json_types(value) for value in obj]
    raise ValueError(f"{obj!r} has no form in JSON")


def from_json(text: str) -> Config:
    """The engine's resolved configuration, with sets and the port map in Python's own types."""
    from json import loads

    data = loads(text)
    for key, value in data.items():
        if isinstance(value, list) and (key.endswith("_set") or key in _SETS):
            data[key] = set(value)
    if "ports" in data:
        data["ports"] = defaultdict(list, data["ports"])
    return Config(data)


_SETS = ("subdomains", "not_subdomains")


class ConfigBuilder:
    """Settings that can be changed until ``with builder as config`` resolves them to a Config.

    The keys are those of `_default`; `update` takes a dict of overrides, whose dicts are merged
    into the defaults key by key. Each name in `computed_properties` is filled in by the method
    ``_get_<name>(data)``, in that order, so that a later one may build on an earlier one.

    :param logger: Told of deprecated keys.
    :param subdomains: Subdomains that resolve; `not_subdomains` those that do not.
    :param config_cls: The class of the result (default: `default_config_cls`).
    """

    _default: dict[str, Any] = {
        "browser_host": "localhost",
        "alternate_hosts": {},
        "doc_root": "",
        "server_host": None,
        "ports": {"http": [8000]},
        "check_subdomains": True,
        "bind_address": True,
        "ssl": {
            "type": "none",
            "encrypt_after_connect": False,
            "none": {},
            "openssl": {
                "openssl_binary": "openssl",
                "base_path": "_certs",
                "password": "web-platform-tests",
                "force_regenerate": False,
                "duration": 30,
                "base_conf_path": None,
            },
            "pregenerated": {"host_key_path": None, "host_cert_path": None},
        },
        "aliases": [],
        "logging": {"level": "debug", "suppress_handler_traceback": False},
    }
    default_config_cls: type[Config] = Config
    computed_properties = [
        "logging",
        "paths",
        "server_host",
        "ports",
        "domains",
        "not_domains",
        "all_domains",
        "domains_set",
        "not_domains_set",
        "all_domains_set",
        "ssl_config",
    ]

    def __init__(
        self,
        logger: logging.Logger,
        subdomains: Iterable[str] = frozenset(),
        not_subdomains: Iterable[str] = frozenset(),
        config_cls: type[Config] | None = None,
        **kwargs: Any,
    ) -> None:
        self._logger = logger
        self._config_cls = config_cls or self.default_config_cls
        self._entered = False
        self._ssl_environment: Any = None
        self._data = {key: kwargs.pop(key, value) for key, value in self._default.items()}
        self._data["subdomains"] = set(subdomains)
        self._data["not_subdomains"] = set(not_subdomains)
        self._data.update(self._take_renamed(kwargs))
        if kwargs:
            raise TypeError(f"no configuration keys: {', '.join(kwargs)}")

    def __setattr__(self, key: str, value: Any) -> None:
        if key.startswith("_"):
            super().__setattr__(key, value)
        else:
            self._data[key] = value

    def __getattr__(self, key: str) -> Any:
        # An underscored name gets here only when it is not set yet, `_data` among them.
        if key.startswith("_") or key not in self._data:
            raise AttributeError(key)
        return self._data[key]

    def update(self, override: Mapping[str, Any]) -> None:
        """Changes the settings named in `override`; KeyError for a name that is no setting."""
        changes = dict(override)
        changes.update(self._take_renamed(changes))
        unknown = [key for key in changes if key not in self._default]
        for key in self._default:
            if key in changes:
                old, new = self._data[key], changes[key]
                self._data[key] = _merged(old, new) if isinstance(old, dict) else new
        if unknown:
            raise KeyError(f"no configuration key: {unknown[0]}")

    def _take_renamed(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Removes the settings with former names, and returns them under the present ones."""
        renamed = {}
        for old, new in _RENAMED.items():
            if old in settings:
                self._logger.warning(f"configuration key {old} is now called {new}")
                renamed[new] = settings.pop(old)
        return renamed

    def __enter__(self) -> Config:
        if self._entered:
            raise ValueError("the builder is in use already")
        data = dict(self._data)
        for name in self.computed_properties:
            data[name] = getattr(self, f"_get_{name}")(data)
        self._entered = True
        return self._config_cls(data)

    def __exit__(self, *exc: object) -> None:
        self._entered = False
        if self._ssl_environment is not None:
            self._ssl_environment.__exit__(*exc)
            self._ssl_environment = None

    def _get_logging(self, data: dict[str, Any]) -> dict[str, Any]:
        # Defaults of before 2023 have a `log_level`, and no `logging`.
        former = {"level": data.get("log_level", "debug"), "suppress_handler_traceback": False}
        logging = data.get("logging", former)
        return {**logging, "level": logging["level"].upper()}

    def _get_paths(self, data: dict[str, Any]) -> dict[str, str]:
        return {"doc_root": data["doc_root"]}

    def _get_server_host(self, data: dict[str, Any]) -> str:
        host: str | None = data.get("server_host")
        return data["browser_host"] if host is None else host

    def _get_ports(self, data: dict[str, Any]) -> defaultdict[str, list[int]]:
        from .utils import get_port

        ports: defaultdict[str, list[int]] = defaultdict(list)
        for scheme, wanted in data["ports"].items():
            if scheme in ("https", "wss") and not _uses_tls(data):
                continue
            for port in wanted:
                ports[scheme].append(get_port("") if port == "auto" else port)
        return ports

    def _get_domains(self, data: dict[str, Any]) -> dict[str, dict[str, str]]:
        return {name: {**_under(host, data["subdomains"]), "": host} for name, host in _hosts(data)}

    def _get_not_domains(self, data: dict[str, Any]) -> dict[str, dict[str, str]]:
        return {name: _under(host, data["not_subdomains"]) for name, host in _hosts(data)}

    def _get_all_domains(self, data: dict[str, Any]) -> dict[str, dict[str, str]]:
        return {
            name: {**domains, **data["not_domains"][name]}
            for name, domains in data["domains"].items()
        }

    def _get_domains_set(self, data: dict[str, Any]) -> set[str]:
        return {domain for domains in data["domains"].values() for domain in domains.values()}

    def _get_not_domains_set(self, data: dict[str, Any]) -> set[str]:
        return {domain for domains in data["not_domains"].values() for domain in domains.values()}

    def _get_all_domains_set(self, data: dict[str, Any]) -> set[str]:
        return set(data["domains_set"]) | set(data["not_domains_set"])

    def _get_ssl_config(self, data: dict[str, Any]) -> dict[str, Any] | None:
        from . import sslutils

        kind = data["ssl"]["type"]
        environment = sslutils.get_cls(kind)(self._logger, **data["ssl"].get(kind, {}))
        self._ssl_environment = environment.__enter__()
        if not environment.ssl_enabled:
            return None
        key, certificate = environment.host_cert_path(data["domains_set"])
        return {
            "key_path": key,
            "ca_cert_path": environment.ca_cert_path(data["domains_set"]),
            "cert_path": certificate,
            "encrypt_after_connect": data["ssl"].get("encrypt_after_connect", False),
        }


_RENAMED = {
    "host": "browser_host",
    "bind_hostname": "bind_address",
    "external_host": "server_host",
    "host_ip": "server_host",
}


_renamed_props = _RENAMED


def _merge_dict(base_dict: dict[str, Any], override_dict: Mapping[str, Any]) -> dict[str, Any]:
    """The reference's name of `_merged`, which the tree's tests use."""
    return _merged(base_dict, override_dict)


def _merged(old: dict[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """`old` with the values of `new`, whose keys that `old` lacks are dropped."""
    return {
        key: value
        if key not in new
        else _merged(value, new[key])
        if isinstance(value, dict)
        else new[key]
        for key, value in old.items()
    }


def _hosts(data: dict[str, Any]) -> list[tuple[str, str]]:
    """The alternate hosts by name, then the browser's own under the empty name."""
    assert "" not in data["alternate_hosts"]
    return [*data["alternate_hosts"].items(), ("", data["browser_host"])]


def _under(host: str, subdomains: Iterable[str]) -> dict[str, str]:
    return {name: f"{name.encode('idna').decode('ascii')}.{host}" for name in subdomains}


def _uses_tls(data: dict[str, Any]) -> bool:
    from .sslutils import get_cls

    return bool(get_cls(data["ssl"]["type"]).ssl_enabled)
