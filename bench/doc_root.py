"""The document root of the benches: the handlers of bench/docroot and files made on the spot."""
import contextlib
import shutil
import tempfile
from pathlib import Path

HANDLERS = Path(__file__).resolve().parent / "docroot"
STATIC_FILES = {"static_1k.txt": b"x" * 1024, "static_1m.txt": b"x" * 1024 * 1024}

TEMPLATE = "template.sub.html"


def filled_template(port):
    """What the template answers to `?title=bench` on a port of 127.0.0.1."""
    content = (HANDLERS / TEMPLATE).read_text()
    for token, value in {"GET[title]": "bench", "location[scheme]": "http",
                         "location[host]": f"127.0.0.1:{port}", "location[hostname]": "127.0.0.1",
                         "location[port]": str(port), "location[path]": f"/{TEMPLATE}"}.items():
        content = content.replace("{{" + token + "}}", value)
    return content.encode()


@contextlib.contextmanager
def temporary():
    """A directory to serve, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        # Any worker of any server may read it, under whatever user it runs.
        directory.chmod(0o755)
        for path in [*HANDLERS.glob("*.py"), HANDLERS / TEMPLATE]:
            shutil.copy(path, directory)
        for file_name, content in STATIC_FILES.items():
            (directory / file_name).write_bytes(content)
        yield directory
