"""The package as a whole: what importing costs, and the small modules."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import wptserve
from wptserve import constants, logger, pipes, server, stash, utils

HEAVY = (
    "email",
    "http",
    "json",
    "logging",
    "multiprocessing",
    "socket",
    "ssl",
    "tempfile",
    "traceback",
    "inspect",
    "dataclasses",
    "uuid",
    "base64",
)


def test_importing_what_handlers_need_is_cheap():
    script = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1])]!r}
import types
engine = types.ModuleType("wptserve._wptserve")
engine.__getattr__ = lambda name: type(name, (), {{}})
engine.pipe_names = list
sys.modules["wptserve._wptserve"] = engine
before = set(sys.modules)
import wptserve.handlers, wptserve.request, wptserve.response, wptserve.forms, wptserve.utils
import wptserve.config, wptserve.constants, wptserve.ranges, wptserve.cgi, wptserve.pipes
print(*sorted({{name.partition(".")[0] for name in set(sys.modules) - before}} & {set(HEAVY)!r}))
"""
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == []


def test_lazy_names():
    assert wptserve.Request is wptserve.request.Request
    assert wptserve.Router is wptserve.router.Router is server.Router
    assert isinstance(wptserve.__version__, str)
    with pytest.raises(AttributeError):
        wptserve.nothing
    assert {"Request", "handlers", "WebTestHttpd"} <= set(dir(wptserve))


def test_isomorphic_coding():
    assert utils.isomorphic_decode(b"\xe9") == utils.isomorphic_decode("\xe9") == "\xe9"
    assert utils.isomorphic_encode("\xe9") == utils.isomorphic_encode(b"\xe9") == b"\xe9"
    for code in (utils.isomorphic_decode, utils.isomorphic_encode):
        with pytest.raises(TypeError, match=r"^Unexpected value \(expecting string-like\): 1$"):
            code(1)


def test_invert_dict():
    assert utils.invert_dict({"a": [1, 2], "b": [3]}) == {1: "a", 2: "a", 3: "b"}
    with pytest.raises(ValueError):
        utils.invert_dict({"a": [1], "b": [1]})


def test_http_exception_text_is_that_of_its_arguments():
    assert str(utils.HTTPException(400, "why")) == "(400, 'why')"
    assert str(utils.HTTPException(400, message="why")) == str(utils.HTTPException(400)) == "400"
    error = utils.HTTPException(400, message="why")
    assert (error.code, error.message) == (400, "why")


def test_error_cause():
    cause, context = KeyError(), ValueError()
    error = RuntimeError()
    assert utils.get_error_cause(error) is error
    error.__context__ = context
    assert utils.get_error_cause(error) is context
    error.__cause__ = cause
    assert utils.get_error_cause(error) is cause


def test_ports():
    assert utils.is_bad_port(6667) and utils.is_bad_port(10080) and not utils.is_bad_port(8000)
    assert 0 < utils.get_port() < 65536
    assert utils.http2_compatible() is True


def test_constants():
    assert constants.content_types["txt"] == "text/plain"
    phrase, description = constants.response_codes[404]
    assert (phrase, description) == ("Not Found", "Nothing matches the given URI")
    assert constants.h2_headers == ["method", "scheme", "host", "path", "authority", "status"]
    with pytest.raises(AttributeError):
        constants.nothing


def test_logger_forwards_to_the_engine(monkeypatch):
    from wptserve import _wptserve

    heard = []
    monkeypatch.setattr(_wptserve, "log", lambda *record: heard.append(record))
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    level = root.level
    try:
        assert logger.get_logger() is root and not root.handlers
        logger.forward_all()
        assert len(root.handlers) == 1
        logging.getLogger("a.b").warning("x %d", 1)
        logging.getLogger("a.b").debug("hidden")
        assert heard == [(logging.WARNING, "a.b", "x 1")]
    finally:
        root.setLevel(level)


def test_logger_leaves_an_application_s_handlers_alone(monkeypatch):
    root = logging.getLogger()
    own = logging.NullHandler()
    monkeypatch.setattr(root, "handlers", [own])
    logger.forward_all()
    assert root.handlers == [own]


def test_another_logger_may_be_set(monkeypatch):
    own = logging.getLogger("own")
    logger.set_logger(own)
    assert logger.get_logger() is own
    logger.set_logger(None)
    assert logger.get_logger() is logging.getLogger()


def test_stash_config(monkeypatch):
    monkeypatch.delenv("WPT_STASH_CONFIG", raising=False)
    monkeypatch.setattr(stash._wptserve, "stash_config", lambda: None)
    with pytest.raises(KeyError):
        stash.load_env_config()
    monkeypatch.setattr(stash._wptserve, "stash_config", lambda: '["/sock", "a2V5"]')
    assert stash.load_env_config() == ("/sock", b"key")
    monkeypatch.setenv("WPT_STASH_CONFIG", "")
    stash.store_env_config(("127.0.0.1", 5), b"\xff" * 99)
    assert stash.load_env_config() == (("127.0.0.1", 5), b"\xff" * 99)


def test_stash_queue_survives_the_stash():
    queue = stash.StashQueue()
    pickled = pickle.dumps({"q": queue})
    queue.put(b"x")
    number = id(queue)
    del queue
    found = pickle.loads(pickled)["q"]
    assert id(found) == number and found.get_nowait() == b"x"


def test_stash_queue_that_was_never_pickled_is_freed():
    number = stash.StashQueue()._id
    assert number not in stash._queues
