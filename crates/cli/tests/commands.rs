//! What `wptserve routes` and `wptserve config` print.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod command;

use std::{fs, path::Path};

use tempfile::TempDir;

use command::{assert_snapshot, run};

/// A document root in `root`, another directory in `lib`, and a configuration with everything.
fn site() -> TempDir {
    let directory = TempDir::new().unwrap();
    for (path, content) in [
        ("root/page.html", "page"),
        ("root/__dir__.headers", "X-Folder: yes"),
        ("root/typed.html.headers", "Content-Type: text/x-mine"),
        ("root/typed.html", "typed"),
        ("root/t.sub.html", "{{GET[x]}}"),
        ("root/t.sub.html.sub.headers", "X-Host: {{host}}"),
        ("root/broken/file.txt", "file"),
        ("root/broken/file.txt.headers", "no colon"),
        ("root/handler.py", "def main(request, response): pass"),
        ("root/raw.asis", "HTTP/1.1 200 OK"),
        ("lib/x.js", "lib"),
        ("site.json", SITE),
        ("old.json", r#"{"doc_root": "root", "host": "web.test"}"#),
    ] {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    directory
}

const SITE: &str = r#"{
    "doc_root": "root",
    "browser_host": "web.test",
    "subdomains": ["www"],
    "ports": {"http": [8000, "auto"], "https": [8443]},
    "aliases": [
        {"url-path": "/lib/", "local-dir": "lib"},
        {"url-path": "/one/x.js", "local-dir": "lib"}
    ],
    "rewrites": [
        ["GET", "/old", "/handler.py"],
        [["GET", "HEAD"], "/short", "/t.sub.html?x=1"]
    ],
    "routes": [
        {"method": ["PUT", "DELETE"], "path": "/page.*", "handler": {"error": 405}},
        {"method": "*", "path": "/gone/{what}", "handler": {"error": 410, "message": "gone"}},
        {"method": "GET", "path": "/hello", "handler": {"string": {"content": "hello"}}},
        {"method": "*", "path": "/py/*.py", "handler": "python", "base_path": "lib",
         "url_base": "/py/"}
    ]
}"#;

/// Runs the command with each line of arguments, the directory's path masked.
fn each(directory: &Path, cases: &[&[&str]]) -> String {
    let texts: Vec<String> = cases.iter().map(|case| run(directory, case, "none")).collect();
    texts.join("\n").replace(&directory.canonicalize().unwrap().display().to_string(), "[DIR]")
}

/// Explains URLs of the site.
fn explain(urls: &[&[&str]]) -> String {
    let site = site();
    let cases: Vec<Vec<&str>> = urls
        .iter()
        .map(|arguments| [&["routes", "--config", "site.json"], *arguments].concat())
        .collect();
    let cases: Vec<&[&str]> = cases.iter().map(Vec::as_slice).collect();
    each(site.path(), &cases)
}

#[test]
fn help() {
    let directory = TempDir::new().unwrap();
    let cases: [&[&str]; 3] = [&["routes", "--help"], &["config", "--help"], &["config", "-h"]];
    assert_snapshot("commands_help", &each(directory.path(), &cases));
}

#[test]
fn arguments() {
    let directory = TempDir::new().unwrap();
    assert_snapshot(
        "commands_arguments",
        &each(
            directory.path(),
            &[
                &["config"],
                &["config", "--show", "--schema"],
                &["config", "show"],
                &["routes", "/", "/"],
                &["routes", "--port", "1"],
                &["routes", "--root", "missing"],
                &["routes", "--config", "missing.json"],
                &["config", "--show", "--root", "missing"],
                &["routes", "-m", "A B", "/"],
                &["routes", "-m", "CONNECT", "/"],
            ],
        ),
    );
}

#[test]
fn a_folder_may_have_a_command_s_name() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("routes")).unwrap();
    // Both get as far as the handlers, which this test has none of.
    let cases: [&[&str]; 2] = [&["./routes", "--port", "0"], &["--port", "0", "routes"]];
    assert_snapshot("commands_folders", &each(directory.path(), &cases));
}

#[test]
fn the_list_of_routes() {
    let site = site();
    assert_snapshot(
        "routes_list",
        &each(
            site.path(),
            &[
                &["routes", "--root", "root"],
                &["routes", "--config", "site.json"],
                &["routes", "--root", "root", "--json"],
                &["routes", "--config", "site.json", "--root", "lib", "--json"],
            ],
        ),
    );
}

#[test]
fn files() {
    assert_snapshot(
        "routes_files",
        &explain(&[
            &["/page.html"],
            &["http://www.web.test:8000/typed.html#part"],
            &["typed.html", "-m", "HEAD"],
            &["/missing.html"],
            &["/page.html/"],
            &["/broken"],
            &["/broken/"],
            &["/broken/file.txt"],
            &["/a/../page.html"],
            &["/lib/x.js"],
            &["/one/x.js"],
        ]),
    );
}

#[test]
fn templates_and_pipes() {
    assert_snapshot(
        "routes_pipes",
        &explain(&[
            &["/t.sub.html?x=1"],
            &["/page.html?pipe=status(404)|header(X-A,a\\,b)|trickle(d1)"],
            &["/page.html?pipe=tricle(d1)"],
            &["/page.html?pipe=zzz"],
            &["/page.html?pipe=status|header(a)|gzip(1)|hints"],
            &["/page.html?pipe=status(x)"],
            &["/page.html?pipe=status(\\"],
            &["/handler.py?pipe=gzip"],
        ]),
    );
}

#[test]
fn routes_and_rewrites() {
    assert_snapshot(
        "routes_routes",
        &explain(&[
            &["/old?a=b"],
            &["/old", "-m", "HEAD"],
            &["/short", "-m", "HEAD"],
            &["/page.html", "--method", "PUT"],
            &["/page.html", "--method", "POST"],
            &["/gone/x"],
            &["/gone/x/y"],
            &["/hello"],
            &["/py/x.py"],
            &["/raw.asis"],
            &["/missing.asis"],
        ]),
    );
}

#[test]
fn explanations_for_programs() {
    assert_snapshot(
        "routes_json",
        &explain(&[
            &["--json", "/t.sub.html?pipe=zzz"],
            &["--json", "/old?a"],
            &["--json", "/page.html", "-m", "PUT"],
        ]),
    );
}

#[test]
fn the_configuration() {
    let site = site();
    assert_snapshot(
        "config_show",
        &each(
            site.path(),
            &[
                &["config", "--show", "--root", "root"],
                &["config", "--show", "--config", "site.json"],
                &["config", "--show", "--config", "old.json"],
            ],
        ),
    );
}

#[test]
fn the_schema() {
    let directory = TempDir::new().unwrap();
    let text = run(directory.path(), &["config", "--schema"], "none");
    let expected = format!("$ wptserve config --schema\n{}[exit code 0]\n", server::config::SCHEMA);
    assert_eq!(text, expected);
}

/// A checkout of today with a test of its own, and what its environment answers.
#[test]
fn routes_of_a_checkout() {
    let directory = TempDir::new().unwrap();
    for (path, content) in [
        ("resources/testharness.js", "isShadowRealm"),
        ("resources/webidl2/lib/webidl2.js", "lib"),
        ("a.any.js", "// META: global=window,worker\ntest();\n"),
        ("a.any.js.headers", "X-A: b"),
        ("tools/x.html", ""),
    ] {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let texts: Vec<String> = [
        "/a.any.worker.html?pipe=status(201)",
        "/a.any.serviceworker-module.html",
        "/b.any.html",
        "/tools/x.html",
        "/resources/WebIDLParser.js",
        "/.well-known/web-identity",
    ]
    .into_iter()
    .map(|url| run(directory.path(), &["routes", "--wpt", "--root", ".", url], "none"))
    .collect();
    let folder = fs::canonicalize(directory.path()).unwrap();
    let text = texts.join("\n").replace(&*folder.to_string_lossy(), "[DIR]");
    assert_snapshot("routes_checkout", &text);
}
