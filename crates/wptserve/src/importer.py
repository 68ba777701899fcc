"""Imports the modules that travel inside the extension."""

import sys
from importlib.machinery import ModuleSpec


class EmbeddedImporter:
    """A finder and loader over a dict: name to (file, is a package, source)."""

    def __init__(self, modules, extension):
        self.modules = modules
        self.extension = extension

    def find_spec(self, name, path=None, target=None):
        if name == EXTENSION:
            # A handler has taken it out of `sys.modules`.
            return ModuleSpec(name, self)
        if name not in self.modules:
            return None
        file, is_package, _ = self.modules[name]
        return ModuleSpec(name, self, origin=file, is_package=is_package)

    def create_module(self, spec):
        return self.extension if spec.name == EXTENSION else None

    def exec_module(self, module):
        if module is self.extension:
            return
        file, _, source = self.modules[module.__name__]
        module.__file__ = PREFIX + file
        if module.__name__ == "wptserve":
            module._wptserve = self.extension
        exec(compile(source, module.__file__, "exec"), module.__dict__)

    def get_source(self, name):
        return self.modules[name][2]

    def is_package(self, name):
        return self.modules[name][1]


EXTENSION = "wptserve._wptserve"
# Marks a frame as the server's own in tracebacks.
PREFIX = "<embedded>/"


def install(modules, extension):
    """Puts the modules before any other of the same names."""
    sys.modules[EXTENSION] = extension
    sys.meta_path.insert(0, EmbeddedImporter(modules, extension))
