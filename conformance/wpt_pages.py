"""The URLs of the pages that are generated from a WPT tree's scripts."""

import pathlib
import random

from wpt_files import tree_files, url_of

# The endings of a script, and what may stand in their place in a URL.
PAGES = {
    ".any.js": [
        ".any.html", ".any.worker.html", ".any.worker-module.html", ".any.sharedworker.html",
        ".any.sharedworker-module.html", ".any.serviceworker.html",
        ".any.serviceworker-module.html", ".any.window-module.html", ".any.worker.js",
        ".any.worker-module.js", ".any.shadowrealm.html", ".any.shadowrealm-in-window.html",
        ".any.shadowrealm-in-shadowrealm.html", ".any.shadowrealm-in-dedicatedworker.html",
        ".any.shadowrealm-in-sharedworker.html", ".https.any.shadowrealm-in-serviceworker.html",
        ".https.any.shadowrealm-in-audioworklet.html", ".any.worker-shadowrealm.js",
        ".any.serviceworker-shadowrealm.js", ".any.audioworklet-shadowrealm.js",
    ],
    ".window.js": [".window.html"],
    ".worker.js": [".worker.html", ".worker-module.html"],
    ".extension.js": [".extension.html"],
}
# What is asked for with them, in turn.
QUERIES = ["", "", "", "?a=b%20c&d", "?pipe=status(201)|header(X-A,b)", "?1-10"]


def pages_of(root: pathlib.Path, count: int, seed: int) -> dict[str, list[str]]:
    """About `count` URLs of generated pages, as many of each kind that the tree's server makes.

    Half of a kind's scripts are such that name its scope, as far as there are any.
    """
    chance = random.Random(seed)
    files = tree_files(root)
    made = (root / "tools" / "serve" / "serve.py").read_text()
    of_kind: dict[str, list[pathlib.Path]] = {}
    for source, endings in PAGES.items():
        scripts = [path for path in files if path.name.endswith(source)]
        for ending in endings if scripts else []:
            if f'"{ending}"' in made:
                of_kind[ending] = scripts
    share = -(-count // max(1, len(of_kind)))
    pages = {}
    for ending, scripts in of_kind.items():
        naming = [path for path in scripts if _names(root / path, ending.split(".")[-2])]
        asked = chance.sample(naming, min(share // 2, len(naming)))
        others = sorted(set(scripts) - set(asked))
        asked += chance.sample(others, min(share - len(asked), len(others)))
        source = next(source for source, endings in PAGES.items() if ending in endings)
        pages[ending] = [
            url_of(path).removesuffix(source) + ending + QUERIES[index % len(QUERIES)]
            for index, path in enumerate(sorted(asked))
        ]
    return pages


def _names(script: pathlib.Path, scope: str) -> bool:
    """Whether a script's `global` key may name the scope."""
    lines = script.read_bytes()[:2000].splitlines()
    said = [line for line in lines if line.startswith(b"//") and b"global=" in line]
    return any(scope.encode() in line or b"worker" in line for line in said)
