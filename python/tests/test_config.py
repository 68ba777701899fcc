"""The configuration and its builder."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from collections import defaultdict

import pytest

from wptserve.config import Config, ConfigBuilder, from_json, json_types

LOGGER = logging.getLogger("test")


def test_config_is_an_immutable_mapping():
    config = Config({"a": 1, "ports": {"http": [8000]}})
    assert config.a == config["a"] == config.get("a") == 1
    assert "a" in config and "b" not in config
    assert list(config) == ["a", "ports"] and len(config) == 2
    assert dict(config.items()) == {"a": 1, "ports": {"http": [8000]}}
    assert str(config) == "{'a': 1, 'ports': {'http': [8000]}}"
    for change in (lambda: setattr(config, "a", 2), lambda: config.__setitem__("a", 2)):
        with pytest.raises(ValueError, match="cannot be changed"):
            change()
    with pytest.raises(ValueError):
        config["b"]
    with pytest.raises(AttributeError):
        config.b
    with pytest.raises(ValueError, match="_a: "):
        Config({"_a": 1})
    assert dict(copy.copy(config)) == dict(pickle.loads(pickle.dumps(config))) == dict(config)


def test_json_types():
    assert json_types(
        {"a": {1}, "b": (1, "x", None, True), "c": {"d": iter([2.5])}}, skip={"b"}
    ) == {"a": [1], "c": {"d": [2.5]}}
    with pytest.raises(ValueError):
        json_types(object())


def test_from_json():
    config = from_json(
        json.dumps(
            {
                "domains": {"": {"": "localhost"}},
                "domains_set": ["localhost"],
                "subdomains": ["www"],
                "ports": {"http": [8000]},
                "aliases": [],
            }
        )
    )
    assert config.domains_set == {"localhost"} and config.subdomains == {"www"}
    assert config.aliases == []
    assert type(config.ports) is defaultdict and config.ports["http"] == [8000]
    assert config.ports["https"] == []


def resolve(keywords, override):
    builder = ConfigBuilder(LOGGER, **keywords)
    builder.update(override)
    with builder as config:
        return {
            key: sorted(value) if key.endswith("_set") or key.endswith("subdomains") else value
            for key, value in config.as_dict().items()
        }


BUILDS = [
    ({}, {}),
    ({"browser_host": "h", "subdomains": ["www", "\xe9"], "not_subdomains": ["no"]}, {}),
    ({"alternate_hosts": {"alt": "other"}, "subdomains": ["a"]}, {"browser_host": "x"}),
    ({"alternate_hosts": {"": "other"}}, {}),
    ({"ports": {"http": [1, 2], "https": [3], "wss": [4], "ws": [5]}}, {}),
    ({}, {"ssl": {"openssl": {"duration": 5, "new": 1}}, "ports": {"http": [9], "ws": [1]}}),
    ({}, {"logging": {"level": "Info"}}),
    ({"host": "a"}, {"host_ip": "1.2.3.4"}),
    ({}, {"host": "a", "browser_host": "b"}),
    ({}, {"external_host": "a", "bind_hostname": False}),
    ({"unknown": 1}, {}),
    ({}, {"unknown": 1}),
    ({"ssl": {"type": "odd"}}, {}),
]


def test_builds_match_the_reference(reference):
    for build, expected in zip(BUILDS, reference([("config", b) for b in BUILDS]), strict=True):
        try:
            ours = json.loads(json.dumps(resolve(*build)))
        except Exception as error:
            ours = {"raises": type(error).__name__}
        assert ours == expected, build


def test_builder_attributes():
    builder = ConfigBuilder(LOGGER)
    builder.browser_host = "h"
    assert builder.browser_host == "h" and builder.aliases == []
    with pytest.raises(AttributeError):
        builder.nothing
    with builder as config:
        assert config.server_host == "h"
        assert config.ports["none"] == []
        with pytest.raises(ValueError):
            builder.__enter__()
    assert ConfigBuilder._default["logging"]["level"] == "debug"


def test_builder_can_be_extended():
    class Extended(ConfigBuilder):
        _default = {**ConfigBuilder._default, "extra": 1}
        computed_properties = ["double", *ConfigBuilder.computed_properties]

        def _get_double(self, data):
            return data["extra"] * 2

    with Extended(LOGGER, extra=4) as config:
        assert (config.extra, config.double) == (4, 8)


def test_auto_ports():
    with ConfigBuilder(LOGGER, ports={"http": ["auto"]}) as config:
        assert config.ports["http"][0] > 1024
