"""Notices another distribution of the package `wptserve` in the same directory.

The `wptserve` of PyPI and `wptserve-rs` have files of the same names, so the one that is installed
later replaces what the other has, and uninstalling one takes files of the other with it.
"""

from __future__ import annotations

import os


def find() -> str | None:
    """Name and version of a distribution whose files mix with ours."""
    # The modules inside the extension have no directory.
    package = os.path.dirname(os.path.abspath(__file__))
    try:
        names = os.listdir(os.path.dirname(package))
    except OSError:
        return None
    for name in names:
        # As in "wptserve-4.0.3.dist-info"; ours has an underscore.
        stem, dot, kind = name.rpartition(".")
        project, dash, version = stem.partition("-")
        if dot and dash and kind in ("dist-info", "egg-info") and project.lower() == "wptserve":
            return f"{project} {version}"
    return None


def notice() -> str | None:
    """What to say of it, and what to do."""
    other = find()
    if other is None:
        return None
    return (
        f"the distribution {other} is installed beside wptserve-rs, and has files of the same "
        "names: uninstall both (pip uninstall wptserve wptserve-rs), then install wptserve-rs again"
    )
