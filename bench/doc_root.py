"""The document root of the benches: the handlers of bench/docroot and files made on the spot."""
import contextlib
import shutil
import tempfile
from pathlib import Path

HANDLERS = Path(__file__).resolve().parent / "docroot"
STATIC_FILES = {"static_1k.txt": b"x" * 1024, "static_1m.txt": b"x" * 1024 * 1024}


@contextlib.contextmanager
def temporary():
    """A directory to serve, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        for handler in HANDLERS.glob("*.py"):
            shutil.copy(handler, directory)
        for file_name, content in STATIC_FILES.items():
            (directory / file_name).write_bytes(content)
        yield directory
