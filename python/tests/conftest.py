"""Lets the Python modules be tested without the engine, and against another wptserve.

WPTSERVE_EXTENSION may name a built extension module to test with in place of the stand-in.
REFERENCE_SITE may name the site-packages of an environment with PyPI's wptserve; tests that
compare with it are skipped without. SUBJECT=wptserve runs the tests of servers in a program
(test_server_*.py) against the reference that is installed, SUBJECT=installed against ours from
its wheel, and no other tests.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from importlib.machinery import ExtensionFileLoader
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SUBJECT = os.environ.get("SUBJECT", "ours")

if SUBJECT != "ours":
    tests = HERE.glob("test_*.py")
    collect_ignore = [path.name for path in tests if not path.name.startswith("test_server_")]
else:
    sys.path.insert(0, str(HERE.parent))
    # Their child processes need a package that is installed.
    collect_ignore_glob = ["test_server_*.py"]

if SUBJECT != "ours":
    pass
elif extension := os.environ.get("WPTSERVE_EXTENSION"):
    import wptserve

    assert Path(wptserve.__file__).is_relative_to(HERE.parent)
    finders = list(sys.meta_path)
    loader = ExtensionFileLoader("wptserve._wptserve", extension)
    spec = importlib.util.spec_from_file_location(loader.name, extension, loader=loader)
    assert spec is not None
    sys.modules[loader.name] = importlib.util.module_from_spec(spec)
    loader.exec_module(sys.modules[loader.name])
    # The modules under test are the files here, not the copies inside the extension.
    sys.meta_path[:] = finders
elif importlib.util.find_spec("wptserve._wptserve") is None:
    import fake_engine

    sys.modules["wptserve._wptserve"] = fake_engine


@pytest.fixture(scope="session")
def reference():
    """Asks the reference: a list of (operation, arguments), answered by a list of results."""
    site = os.environ.get("REFERENCE_SITE")
    if not site:
        pytest.skip("REFERENCE_SITE is not set")

    answered: dict[str, list] = {}

    def ask(cases: list) -> list:
        asked = json.dumps(cases)
        if asked not in answered:
            answered[asked] = run(asked)
        return answered[asked]

    def run(asked: str) -> list:
        probe = subprocess.run(
            [sys.executable, str(HERE / "reference_probe.py"), site],
            input=asked,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert probe.returncode == 0, probe.stderr
        return json.loads(probe.stdout)

    return ask
