"""Imports the modules that travel inside the extension."""

import sys
from importlib.machinery import ModuleSpec


class EmbeddedImporter:
    """A finder and loader over a dict: name to (file, is a package, source)."""

    def __init__(self, modules):
        self.modules = modules

    def find_spec(self, name, path=None, target=None):
        if name == "logging":
            return self.find_logging(path, target)
        if name not in self.modules:
            return None
        file, is_package, _ = self.modules[name]
        return ModuleSpec(name, self, origin=file, is_package=is_package)

    def find_logging(self, path, target):
        """The standard module, made to write to the server's log once it is loaded."""
        others = [finder for finder in sys.meta_path if finder is not self]
        found = (finder.find_spec("logging", path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None:
            load = spec.loader.exec_module

            def exec_module(module):
                load(module)
                from wptserve.logger import forward

                forward(module.getLogger())

            spec.loader.exec_module = exec_module
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        file, _, source = self.modules[module.__name__]
        module.__file__ = PREFIX + file
        exec(compile(source, module.__file__, "exec"), module.__dict__)

    def get_source(self, name):
        return self.modules[name][2]

    def is_package(self, name):
        return self.modules[name][1]


# Marks a frame as the server's own in tracebacks.
PREFIX = "<embedded>/"


def install(modules, extension):
    """Puts the modules before any other of the same names."""
    sys.modules["wptserve._wptserve"] = extension
    sys.meta_path.insert(0, EmbeddedImporter(modules))
    import wptserve

    wptserve._wptserve = extension
