"""Run pywebsocket3's server as `wpt serve` does: with a stash, and under both names."""

import signal
import sys

import pywebsocket3
from pywebsocket3 import standalone
from wptserve.stash import StashServer


class Renamed:
    """Finds `mod_pywebsocket.x` as `pywebsocket3.x`, as the tree's own shim does."""

    def find_spec(self, name, path=None, target=None):
        """Only for the other name."""
        if not name.startswith("mod_pywebsocket."):
            return None
        from importlib import import_module
        from importlib.machinery import ModuleSpec

        self.module = import_module(name.replace("mod_pywebsocket", "pywebsocket3", 1))
        return ModuleSpec(name, self)

    def create_module(self, spec):
        """The module itself."""
        return self.module

    def exec_module(self, module):
        """It is there already."""


if __name__ == "__main__":
    sys.modules["mod_pywebsocket"] = pywebsocket3
    sys.meta_path.insert(0, Renamed())
    # So that the stash's process ends with this one.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with StashServer():
        standalone._main(sys.argv[1:])
