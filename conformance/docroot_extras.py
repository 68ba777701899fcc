"""Build the doc root of a run: the handlers of docroot/ and files not fit for a repository."""

import os
import pathlib
import shutil

from docroot_static import write_files

# Names a listing and a URL must escape; some file systems and tools refuse them in a checkout.
ODD_NAMES = [
    "a b.txt", "percent%41.txt", "semi;colon.txt", "equals=sign.txt", "quo'te.txt", 'dou"ble.txt',
    "amp&ersand.txt", "less<than>.txt", "plus+sign.txt", "hash#tag.txt", "question?mark.txt",
    "tilde~.txt", "back\\slash.txt", "co:lon.txt", "\u00e9l\u00e8ve.txt", "\u5929\u6c17.txt",
    ".hidden", "two..dots.txt",
]

ODD_DIRECTORIES = [
    "a b", "percent%41", "semi;colon", "equals=sign", "quo'te", 'dou"ble', "amp&ersand",
    "less<than>", "plus+sign", "hash#tag", "question?mark", "tilde~", "co:lon", "back\\slash",
    "\u00e9l\u00e8ve", "\u5929\u6c17", ".hidden", "(paren)", "[bracket]", "comma,", "at@", "star*",
    "{{host}}",
]

# How a listing sorts, and which names it folds into the one before.
KINDS = [
    "x", "x-y", "x.headers", "x.txt", "x.txt.headers", "x.sub.headers", "x.txt.sub.headers",
    "alone.headers", "__dir__.headers", "__dir__.sub.headers", ".headers", "headers",
    "x.headers.headers", "A.txt", "a.txt", "B.txt", "_under", "1", "10", "2", "\u00c4.txt",
    "z.txt.headers", "z.txt",
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
    write_files(target)
    (target / "asis" / "directory.asis").mkdir()
    os.symlink("nowhere", target / "headers-files" / "both" / "file-linked.txt.sub.headers")
    for name in ["file-linked.txt", "file-linked.txt.headers"]:
        (target / "headers-files" / "both" / name).write_bytes(b"X-Plain: 1\n")
    _add_directories(target / "directories")
    return target


def _add_directories(root: pathlib.Path) -> None:
    for name in ODD_DIRECTORIES:
        (root / name).mkdir(parents=True)
        (root / name / "inner.txt").write_bytes(b"")
        (root / name / "below").mkdir()
    (root / "many").mkdir()
    for index in range(400):
        (root / "many" / f"entry-{index}.txt").write_bytes(b"")
    (root / "kinds").mkdir()
    for name in KINDS:
        (root / "kinds" / name).write_bytes(b"")
    os.symlink("..", root / "kinds" / "link-to-directory")
    os.symlink("x", root / "kinds" / "link-to-file")
    os.symlink("nowhere", root / "kinds" / "link-to-nothing")
    (root / "kinds" / "folder").mkdir()
    (root / "kinds" / "folder.headers").write_bytes(b"")
    (root / "kinds" / "headers-folder.headers").mkdir()
    os.symlink("many", root / "linked")
    (root / "control").mkdir()
    for name in ["line\nfeed", "tab\there", "carriage\rreturn", "escape\x1b"]:
        (root / "control" / name).write_bytes(b"")
    (root / "not-utf-8").mkdir()
    with open(os.fsencode(root / "not-utf-8") + b"/\xe9.txt", "wb"):
        pass
