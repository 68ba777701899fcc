"""Ask for pages that are generated from a WPT tree's scripts, of ours and of the tree's routes.

    python wpt_generated_sweep.py --wpt-root WPT --reference-python PYTHON --bin BINARY --out FILE

Ours is `wptserve wpt WPT`; the reference serves the routes that the tree's own `serve` module
makes. A group for each kind of page, whether or not the script says that it is a test there.
"""

import functools
import json
import sys

from wpt_config import ENVIRONMENT_CONFIG
from wpt_pages import pages_of
from wpt_static_sweep import FIELDS, compare_static, print_counts
from wpt_sweep import ask, options, summary, sweep, three_servers


def main(argv: list[str] | None = None) -> int:
    """The command; 0 when no answer differs."""
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=600, help="how many pages (600)")
    parser.add_argument("--seed", type=int, default=1, help="which pages (1)")
    arguments = parser.parse_args(argv)
    root = arguments.wpt_root.resolve()
    asked = functools.partial(ask, fields=FIELDS)
    results, counts = {}, {}
    config = {"doc_root": str(root), **ENVIRONMENT_CONFIG}
    with three_servers(arguments, config, environment=True) as servers:
        for kind, urls in pages_of(root, arguments.count, arguments.seed).items():
            urls = [url for url in urls if arguments.only in url]
            results[kind] = sweep(urls, servers, print, asked, compare_static)
            counts[kind] = summary(results[kind], "answers")
    total = {name: sum(count[name] for count in counts.values())
             for name in next(iter(counts.values()), {})}
    print_counts({"pages": total})
    if arguments.out:
        arguments.out.write_text(json.dumps({"counts": counts, "answers": results}, indent=1))
    return 1 if total.get("different") else 0


if __name__ == "__main__":
    sys.exit(main())
