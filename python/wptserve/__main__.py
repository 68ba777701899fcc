"""``python -m wptserve`` and the console script: the command line of the binary."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line with this process's arguments; does not return."""
    from . import _neighbour, _wptserve

    if text := _neighbour.notice():
        print(f"wptserve: warning: {text}", file=sys.stderr, flush=True)
    # A stopped server ends with exit code 0; Python's own handler would raise KeyboardInterrupt.
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _wptserve.start(sys.argv[1:])


if __name__ == "__main__":
    main()
