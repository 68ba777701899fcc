"""A config with routes, rewrites and aliases, and the folders that they lead to."""

import pathlib

_HANDLER = b"""def main(request, response):
    return [("Content-Type", "text/plain")], "%s %s %s" % (
        request.url_base, request.request_path, request.url_parts.query)
"""

_FILES = {
    "one/page.html": b"<p>one</p>\n",
    "one/page.html.headers": b"X-Place: one\n",
    "one/sub.sub.txt": b"{{location[path]}} {{url_base}} {{fs_path(page.html)}}\n",
    "one/handler.py": _HANDLER,
    "one/raw.asis": b"HTTP/1.1 299 Raw\r\nContent-Length: 0\r\n\r\n",
    "one/folder/inner.txt": b"inner\n",
    "two/page.html": b"<p>two</p>\n",
    "two/only.js": b"two\n",
    "two/handler.py": _HANDLER,
}


def routing_config(work: pathlib.Path) -> dict:
    """The config; its folders are made below `work`."""
    for name, data in _FILES.items():
        path = work / "routed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    one, two = (str(work / "routed" / name) for name in ("one", "two"))
    return {
        "ports": {},
        "check_subdomains": False,
        "aliases": [
            {"url-path": "/one/", "local-dir": one},
            {"url-path": "/one/deep/", "local-dir": two},
            {"url-path": "/static/only.js", "local-dir": two},
            {"url-path": "/only.js", "local-dir": two},
            {"url-path": "/static/", "local-dir": two},
        ],
        "rewrites": [
            ["GET", "/old.html", "/one/page.html"],
            ["GET", "/old.html", "/one/deep/page.html"],
            [["GET", "POST"], "/old.py", "/one/handler.py"],
            ["*", "/any.py", "/one/deep/handler.py"],
            ["GET", "/chain", "/old.html"],
        ],
        "routes": [
            {"method": "GET", "path": "/gone/*", "handler": {"error": 410}},
            {"method": ["PUT", "GET"], "path": "/text",
             "handler": {"string": {"content": "text\n", "content_type": "text/x-text"}}},
            {"method": "GET", "path": "/spec/{name}/page.html", "handler": {"error": 451}},
            {"method": "*", "path": "/p/*", "handler": "python", "base_path": one,
             "url_base": "/p/"},
            {"method": "GET", "path": "/f/*", "handler": "file", "base_path": one,
             "url_base": "/f/"},
            {"method": "GET", "path": "/a/*", "handler": "asis", "base_path": one,
             "url_base": "/a/"},
        ],
    }
