"""A small tree of scripts from which pages are generated, for each edition of the tests."""

import pathlib
import shutil

_PLAIN = b"test(() => {}, 'x');\n"
_KEYS = (
    b"// META: title=A \"title\" <of> & \\slashes\\ '\n// META: timeout=long\n"
    b"// META: script=/resources/a.js\n// META: script=b.js?c=d&e=\"f\"\\\n// META: quic=true\n"
    b"// META: variant=?1-10\n//META:title=second\n" + _PLAIN
)
_EVERY_SCOPE = (
    "window,worker,dedicatedworker-module,sharedworker-module,serviceworker-module,"
    "window-module,shadowrealm"
)

FILES = {
    "probe.py": None,
    "a.any.js": f"// META: global={_EVERY_SCOPE}\n".encode() + _KEYS,
    "a.window.js": _KEYS,
    "a.worker.js": _KEYS,
    "a.extension.js": _KEYS,
    "plain.any.js": _PLAIN,
    "empty.any.js": b"",
    "empty.window.js": b"",
    "only-window.any.js": b"// META: global=window\n",
    "only-worker.any.js": b"// META: title=x\n// META: global= worker ,jsshell\n// META: global=window\n",
    "no-scope.any.js": b"// META: global=\n" + _PLAIN,
    "unknown-scope.any.js": b"// META: global=moon,!window\n" + _PLAIN,
    "not-a-worker.worker.js": b"// META: global=window\n" + _PLAIN,
    "crlf.any.js": _KEYS.replace(b"\n", b"\r\n"),
    "crlf-scope.any.js": b"// META: global=window,sharedworker\r\n// META: timeout=long\r\n",
    "late.window.js": b"// not META\n// META: title=late\n",
    "odd.window.js": b"// META: a-b=c\n// META: title=x\n",
    "utf-8.window.js": "// META: title=\u00e9l\u00e8ve \u5929\n// META: script=\u5929.js\n".encode(),
    "latin-1.window.js": b"// META: title=caf\xe9\n",
    "latin-1-late.window.js": b"// META: title=x\nx('caf\xe9');\n",
    "percent%41.window.js": _PLAIN,
    "\u5929.window.js": _PLAIN,
    "headers.any.js": _PLAIN,
    "headers.any.js.headers": (
        b"X-A: 1\nX-B: 2\nX-A: 3\ncontent-type: text/html;charset=x\nCross-Origin-X: y\n"
    ),
    "headers.any.html.headers": b"X-Not: this\n",
    "bad-headers.window.js": _PLAIN,
    "bad-headers.window.js.headers": b"no colon\n",
    "bad-headers-missing.window.js.headers": b"no colon\n",
    "host.sub.window.js": b"// META: title={{host}} {{GET[a]}}\n// META: script=/{{GET[a]}}\n",
    "host.sub.any.js": b"// META: title={{GET[a]}}\n",
    "bad.sub.window.js": b"// META: title={{nothing}}\n",
    "directory.window.js/file": b"",
    "folder/__dir__.headers": b"X-Dir: 1\n",
    "folder/in.window.js": _PLAIN,
    "mounted/a.any.js": _KEYS,
    "mounted/x.html": b"<p>",
    "stands.window.html": b"<p>not served",
    "test262/plain.js": b"/*---\ndescription: x\n---*/\nx();\n",
    "test262/negative.js": (
        b"// Copyright\n/*---\ninfo: |\n  flags: [no]\nnegative:\n  phase: parse\n"
        b"  type: SyntaxError\nflags: [raw, async]\nincludes: [a.js, compareArray.js]\n---*/\nx\r\ny\r"
    ),
    "test262/module.js": b"/*---\nflags: [module]\nincludes:\n  - a.js\n---*/\nx();\n",
    "test262/none.js": b"// META: title=x\nx();\n",
    "test262/x_FIXTURE.js": b"/*---\nflags: [async]\n---*/\n",
    "test262/latin-1.js": b"/*---\nflags: [async]\n---*/\n// \xe9\n",
    "tools/runner/index.html": b"<p>runner",
    "tools/x.html": b"<p>tool",
    "spec/tools/x.html": b"<p>tool",
    "_certs/key.pem": b"key",
    "results/x.txt": b"result",
    "results/index.html": b"<p>",
    "resources/webidl2/lib/webidl2.js": b"webidl2();",
    ".well-known/web-identity": (
        b"def main(request, response):\n    return [(b'X-M', request.method)], b'identity'\n"
    ),
    ".well-known/private-aggregation/report": b"def main(request, response):\n    return b'report'\n",
}
# What each edition's harness must have in it.
HARNESSES = {
    "newest": {"testharness.js": b"isShadowRealm", "testharness-shadowrealm-outer.js": b""},
    "workers": {"testharness.js": b"isWorker"},
    "shadow-realm": {"testharness.js": b"isShadowRealm"},
    "shadow-realms": {
        "testharness.js": b"isShadowRealm",
        "testharness-shadowrealm-outer.js": b"",
        "test262/test262-reporter.js": b"test262NegativeType",
    },
}
_SCRIPT = pathlib.Path(__file__).parent / "docroot" / "probe.py"


def build_tree(target: pathlib.Path, edition: str) -> pathlib.Path:
    """Write the tree, with the harness of an edition."""
    for name, content in FILES.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            shutil.copyfile(_SCRIPT, path)
        else:
            path.write_bytes(content)
    for name, content in HARNESSES[edition].items():
        path = target / "resources" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return target


def edition_of(tree: pathlib.Path) -> str:
    """The edition of a real tree."""
    resources = tree / "resources"
    reporter = resources / "test262" / "test262-reporter.js"
    if b"isShadowRealm" not in (resources / "testharness.js").read_bytes():
        return "workers"
    if not (resources / "testharness-shadowrealm-outer.js").exists():
        return "shadow-realm"
    if reporter.exists() and b"test262NegativeType" in reporter.read_bytes():
        return "shadow-realms"
    return "newest"
