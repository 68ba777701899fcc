"""Puts the modules of `wptserve` in the place of others of that name.

`wptserve exec` has put this folder first on PYTHONPATH, and so it has for every Python that the
command starts. Nothing is loaded until something imports `wptserve`.
"""

import os
import sys
from _imp import extension_suffixes
from importlib.machinery import ExtensionFileLoader, PathFinder
from importlib.util import module_from_spec, spec_from_file_location


class Finder:
    """Finds `wptserve` inside the extension, whatever `sys.path` leads to."""

    def find_spec(self, name, path=None, target=None):
        if name != "wptserve":
            return None
        sys.meta_path.remove(self)
        extension = os.environ["WPTSERVE_EXEC"]
        if "t" in getattr(sys, "abiflags", "") and not extension.endswith(extension_suffixes()[0]):
            tell("its modules cannot be used in a free-threaded Python")
            return None
        try:
            loader = ExtensionFileLoader("wptserve._wptserve", extension)
            spec = spec_from_file_location(loader.name, extension, loader=loader)
            module = module_from_spec(spec)
            loader.exec_module(module)
        except ImportError as error:
            version = "{}.{}".format(*sys.version_info[:2])
            tell("its modules cannot be used in Python {}: {}".format(version, error))
            return None
        module.install()
        if "WPTSERVE_EXEC_TOLD" not in os.environ:
            os.environ["WPTSERVE_EXEC_TOLD"] = "1"
            other = PathFinder.find_spec("wptserve")
            place = other and (list(other.submodule_search_locations or [other.origin]) or [None])[0]
            what = "the modules in {}".format(place) if place else "nothing, as there were none,"
            tell("wptserve {} takes the place of {}".format(module.__version__, what))
        return next(
            finder.find_spec(name) for finder in sys.meta_path if hasattr(finder, "modules")
        )


def tell(text):
    # Where there is no standard error, or a closed one, nobody misses it.
    if sys.stderr is None:
        return
    try:
        sys.stderr.write("wptserve exec: {}\n".format(text))
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def run_the_other():
    """Runs the `sitecustomize` that would have been found without this one."""
    here = os.path.dirname(os.path.abspath(__file__))
    path = [entry for entry in sys.path if os.path.abspath(entry) != here]
    spec = PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if "WPTSERVE_EXEC" in os.environ:
    sys.meta_path.insert(0, Finder())
run_the_other()
