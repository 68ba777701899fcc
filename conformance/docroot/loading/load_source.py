import importlib.util
import os


def main(request, response):
    path = os.path.join(os.path.dirname(os.path.dirname(__file__)), "returns", "bytes.py")
    spec = importlib.util.spec_from_file_location("returns_bytes", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main(request, response)
