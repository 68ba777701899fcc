"""What handlers call of `wptserve.pipes`, `ranges`, `config`, `router` and the file handlers."""

from urllib.parse import quote

from case import get, parametrize, request, send

# The keys of a config that a handler may ask for.
CONFIG_KEYS = [
    "browser_host", "server_host", "alternate_hosts", "doc_root", "ports", "check_subdomains",
    "bind_address", "logging", "aliases", "subdomains", "not_subdomains", "domains", "not_domains",
    "all_domains", "domains_set", "not_domains_set", "all_domains_set", "paths", "ssl",
    "ssl_config",
]

HTML = quote("<b a='1'>\"&")

PIPES = [
    get(f"api-{name.replace('_', '-')}", f"/api/{name}.py?a={HTML}")
    for name in [
        "sub", "sub_escape", "sub_generator", "template", "template_calls", "template_errors",
        "own_pipe_direct", "pipeline", "pipeline_sub", "pipeline_compress", "pipeline_trickle",
        "pipeline_errors", "converters", "decorator_errors", "tokenizer", "resolve_content",
        "pipe_functions", "load_headers", "range_parser", "multipart", "router", "rewriter",
    ]
] + [
    get("api-sub-escape-none", f"/api/sub_escape.py?a={HTML}&type=none"),
    get("api-sub-escape-other", f"/api/sub_escape.py?a={HTML}&type=other"),
    get("api-template-not-utf-8", "/api/template.py?a=%E9"),
]

# A pipe of one's own stays registered after the handler that defined it.
OWN_PIPES = [
    send(f"api-own-pipe-{id}", request("/api/own_pipe.py"), request(target))
    for id, target in {
        "on-handler": "/api/own_pipe.py?pipe=conformance_own(x)",
        "null": "/api/own_pipe.py?pipe=conformance_own(x,null)",
        "all-arguments": "/api/own_pipe.py?pipe=conformance_own(x,5,true)",
        "on-file": "/pipes/digits.txt?pipe=conformance_own(y)",
        "in-chain": "/pipes/digits.txt?pipe=slice(2)|conformance_own(y,1,0)|status(203)",
        "on-template": "/pipes/tokens.sub.txt?pipe=conformance_own(y)",
    }.items()
] + [
    send(f"api-own-pipe-fails-{id}", request("/api/own_pipe.py"), request(target))
    for id, target in {
        "no-arguments": "/api/own_pipe.py?pipe=conformance_own",
        "too-many": "/pipes/digits.txt?pipe=conformance_own(x,1,true,2)",
        "bad-value": "/pipes/digits.txt?pipe=conformance_own(x,y)",
    }.items()
]


def _wrapped(id: str, path: str, query: str | None = None):
    more = "" if query is None else "&q=" + quote(query, safe="")
    return get(f"api-wrap-pipeline-{id}", f"/api/wrap_pipeline.py?path={quote(path)}{more}")


def _served(id: str, path: str, query: str = "", *headers):
    target = f"/api/file_handler.py?path={quote(path)}&query={quote(query, safe='')}"
    return get(f"api-file-handler-{id}", target, *headers)


HANDLERS = [
    _wrapped("plain", "/x/page.txt"),
    _wrapped("sub-text", "/x/page.sub.txt"),
    _wrapped("sub-html", "/x/page.sub.html"),
    _wrapped("pipe", "", "pipe=status(203)|header(X-A,1)"),
    _wrapped("sub-and-pipe", "a.sub.b", "a=1&pipe=slice(0,4)"),
    _served("plain", "/ranges/digits.txt"),
    _served("headers", "/headers-files/folder/own.txt"),
    _served("template", "/pipes/page.sub.html"),
    _served("missing", "/ranges/none.txt"),
    _served("listing", "/pipes/folder/"),
    _served("redirect", "/pipes/folder"),
    _served("pipe", "/ranges/digits.txt", "pipe=slice(2,5)"),
    _served("range", "/ranges/digits.txt", "", ("Range", "bytes=2-4")),
    _served("ranges", "/ranges/digits.txt", "", ("Range", "bytes=0-1,4-5")),
    _served("range-bad", "/ranges/digits.txt", "", ("Range", "bytes=99-")),
    _served("range-and-pipe", "/ranges/digits.txt", "pipe=slice(1)", ("Range", "bytes=2-6")),
    get("api-file-handler-base", "/api/file_handler_base.py"),
]

CONFIG = [
    get(f"api-config-{key.replace('_', '-')}", f"/api/config.py?{key}") for key in CONFIG_KEYS
] + [
    get(f"api-{name.replace('_', '-')}", f"/api/{name}.py")
    for name in ["config_access", "config_builder", "config_builder_update",
                 "config_builder_auto"]
]


@parametrize(PIPES)
def test_pipes(pair, case):
    pair.check(case)


@parametrize(OWN_PIPES)
def test_own_pipes(pair, case):
    pair.check(case)


@parametrize(HANDLERS)
def test_handlers(pair, case):
    pair.check(case)


@parametrize(CONFIG)
def test_config(pair, case):
    pair.check(case)
