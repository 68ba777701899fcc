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
        ".any.worker-module.js", ".any.shadowrealm-in-window.html",
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
    """About `count` URLs of generated pages, as many of each kind as of any other."""
    chance = random.Random(seed)
    files = tree_files(root)
    of_kind: dict[str, list[str]] = {}
    for source, endings in PAGES.items():
        stems = [url_of(path)[:-len(source)] for path in files if path.name.endswith(source)]
        for ending in endings if stems else []:
            of_kind[ending] = [stem + ending for stem in stems]
    share = -(-count // max(1, len(of_kind)))
    return {
        kind: [
            url + QUERIES[index % len(QUERIES)]
            for index, url in enumerate(sorted(chance.sample(urls, min(share, len(urls)))))
        ]
        for kind, urls in of_kind.items()
    }
