from __future__ import annotations


def main(request: Undefined, response: Undefined):  # noqa: F821
    return b"annotations are not evaluated"
