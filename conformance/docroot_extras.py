"""Build the doc root of a run: the handlers of docroot/ and files not fit for a repository."""

import os
import pathlib
import shutil

# Names a listing and a URL must escape; some file systems and tools refuse them in a checkout.
ODD_NAMES = [
    "a b.txt", "percent%41.txt", "semi;colon.txt", "equals=sign.txt", "quo'te.txt", 'dou"ble.txt',
    "amp&ersand.txt", "less<than>.txt", "plus+sign.txt", "hash#tag.txt", "question?mark.txt",
    "tilde~.txt", "back\\slash.txt", "co:lon.txt", "\u00e9l\u00e8ve.txt", "\u5929\u6c17.txt",
    ".hidden", "two..dots.txt",
]


def build_doc_root(source: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    """Copy `source` to `target` and add the odd names, links, big and empty files."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    static = target / "static"
    odd = static / "odd"
    odd.mkdir()
    for name in ODD_NAMES:
        (odd / name).write_bytes(f"file {name}\n".encode())
    (odd / "directory with space").mkdir()
    (static / "empty.txt").write_bytes(b"")
    (static / "empty-directory").mkdir()
    (static / "big.bin").write_bytes(bytes(range(256)) * (8 << 10))
    (static / "bytes.txt").write_bytes(bytes(range(256)))
    os.symlink("page.html", static / "link.html")
    os.symlink("sub", static / "linked-directory")
    os.symlink("nowhere", static / "broken-link.txt")
    (target / "asis").mkdir(exist_ok=True)
    asis = target / "asis"
    (asis / "crlf.asis").write_bytes(
        b"HTTP/1.1 202 Taken\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nasis\n"
    )
    (asis / "nul.asis").write_bytes(b"HTTP/1.1 200 OK\r\nX-Nul: a\0b\r\nContent-Length: 0\r\n\r\n")
    (asis / "not-http.asis").write_bytes(b"no response at all\xff\xfe")
    (asis / "empty.asis").write_bytes(b"")
    (asis / "directory.asis").mkdir()
    return target
