"""Run the reference, wptserve from PyPI, as a bare server with a stash.

The doc root, the port, the config, the ready file and, for the routes of a WPT
tree's own `serve` module, the tree come through the environment, because the reference reads `sys.argv` when a handler asks for
the form of a GET request. The server stops when its standard input ends.
"""

import json
import logging
import os
import pathlib
import sys

from wptserve import handlers
from wptserve.config import ConfigBuilder
from wptserve.router import any_method
from wptserve.routes import routes as default_routes
from wptserve.server import Http2WebTestRequestHandler, WebTestHttpd
from wptserve.stash import StashServer


def read_config(values: dict):
    """The config of a file, built. Of its keys the reference takes some only as arguments."""
    subdomains = {key: set(values.get(key, [])) for key in ("subdomains", "not_subdomains")}
    elsewhere = ("subdomains", "not_subdomains", "routes", "rewrites")
    values = {key: value for key, value in values.items() if key not in elsewhere}
    with ConfigBuilder(logging.getLogger(), **subdomains, **values) as config:
        return config


def read_routes(values: dict) -> list:
    """The routes that `routes` and `aliases` mean, made of the reference's own handlers."""
    files = {"python": handlers.PythonScriptHandler, "asis": handlers.AsIsHandler,
             "file": handlers.FileHandler}
    routes = []
    for entry in values.get("routes", []):
        kind = entry["handler"]
        if isinstance(kind, str):
            place = {key: entry[key] for key in ("base_path", "url_base") if key in entry}
            handler = files[kind](**place)
        elif "error" in kind:
            handler = handlers.ErrorHandler(kind["error"])
        else:
            text = kind["string"]
            handler = handlers.StringHandler(text["content"], text.get("content_type", "text/plain"))
        methods = entry["method"] if isinstance(entry["method"], list) else [entry["method"]]
        routes += [(method, entry["path"], handler) for method in methods]
    for alias in reversed(values.get("aliases", [])):
        url, directory = alias["url-path"], alias["local-dir"]
        if url.endswith("/"):
            place = {"base_path": directory, "url_base": url}
            routes += [
                (any_method, f"{url}*.py", handlers.PythonScriptHandler(**place)),
                ("GET", f"{url}*.asis", handlers.AsIsHandler(**place)),
                ("GET", f"{url}*", handlers.FileHandler(**place)),
            ]
        else:
            place = {"base_path": directory, "url_base": url[:url.rfind("/") + 1]}
            routes.append(("GET", url, handlers.FileHandler(**place)))
    return routes + default_routes


def tree_routes(root: pathlib.Path, values: dict) -> tuple[list, list]:
    """The routes and the rewrites that a WPT tree's own `serve` module makes.

    The tree's tools are found behind what is installed, so its routes run on the reference.
    """
    sys.path.append(str(root / "tools"))
    import localpaths  # noqa: F401
    from serve import serve

    builder = serve.RoutesBuilder()
    for alias in values.get("aliases", []):
        add = builder.add_mount_point if alias["url-path"].endswith("/") else (
            builder.add_file_mount_point)
        add(alias["url-path"], alias["local-dir"])
    return builder.get_routes(), serve.rewrites


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    host = "127.0.0.1"
    with StashServer():
        config = os.environ["REFERENCE_CONFIG"]
        values = json.loads(pathlib.Path(config).read_text()) if config else {}
        routes, rewrites = read_routes(values), values.get("rewrites", [])
        if os.environ["REFERENCE_WPT_ROOT"]:
            routes, rewrites = tree_routes(pathlib.Path(os.environ["REFERENCE_WPT_ROOT"]), values)
        secure = bool(values.get("ports", {}).get("https")) and not values["ports"].get("http")
        tls = values["ssl"]["pregenerated"] if secure else {}
        http2 = bool(os.environ.get("REFERENCE_HTTP2"))
        server = WebTestHttpd(
            host=host,
            # Named before the bind, because the configuration speaks of it.
            port=int(os.environ["REFERENCE_PORT"]),
            doc_root=os.environ["REFERENCE_DOC_ROOT"],
            routes=routes,
            rewrites=rewrites,
            config=read_config(values) if config else None,
            use_ssl=secure,
            key_file=tls.get("host_key_path"),
            certificate=tls.get("host_cert_path"),
            encrypt_after_connect=secure and values["ssl"]["encrypt_after_connect"],
            **({"http2": True, "handler_cls": Http2WebTestRequestHandler} if http2 else {}),
        )
        server.start()
        ready = {
            "pid": os.getpid(),
            "listeners": [{"scheme": "http", "host": host, "port": server.port}],
        }
        ready_file = os.environ["REFERENCE_READY_FILE"]
        with open(ready_file + ".part", "w") as file:
            json.dump(ready, file)
        os.replace(ready_file + ".part", ready_file)
        sys.stdin.read()
        server.stop()


if __name__ == "__main__":
    main()
