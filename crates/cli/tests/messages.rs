//! What the command line says: its help, and the message and exit code of each failure.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod command;

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::Command,
    sync::mpsc,
    thread,
};

use tempfile::TempDir;

use command::{DEADLINE, Process, assert_snapshot, run};

/// Runs the command with each line of arguments.
fn each(directory: &Path, cases: &[&[&str]]) -> String {
    let texts: Vec<String> = cases.iter().map(|case| run(directory, case, "none")).collect();
    texts.join("\n")
}

/// Replaces what stands between two texts, wherever they come.
fn mask(text: &str, before: &str, after: &str, with: &str) -> String {
    let mut parts = text.split(before);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        result.push_str(before);
        match part.find(after) {
            Some(end) => {
                result.push_str(with);
                result.push_str(&part[end..]);
            }
            None => result.push_str(part),
        }
    }
    result
}

#[test]
fn help() {
    let directory = TempDir::new().unwrap();
    assert_snapshot("help", &each(directory.path(), &[&["--help"], &["-h"]]));
}

#[test]
fn version() {
    let directory = TempDir::new().unwrap();
    let text = each(directory.path(), &[&["--version"], &["-V"]]);
    assert_snapshot("version", &text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn arguments() {
    let directory = TempDir::new().unwrap();
    assert_snapshot(
        "arguments",
        &each(
            directory.path(),
            &[
                &["--prot", "80"],
                &["--nothing-like-it"],
                &["one", "two"],
                &["--port", "x"],
                &["--port", "65536"],
                &["--port", "-1"],
                &["--port"],
                &["--port", "1", "--port", "2"],
                &["--max-body", "1k"],
                &["--max-body", "-1"],
                &["--handler-timeout", "0"],
                &["--handler-timeout", "0.0000000001"],
                &["--handler-timeout", "soon"],
                &["--handler-timeout=-1"],
                &["--handler-timeout", "inf"],
                &["--handler-timeout", "NaN"],
                &["--handler-timeout", "1e30"],
                &["--log-format", "xml"],
            ],
        ),
    );
}

#[test]
fn document_roots() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("file.txt"), "").unwrap();
    fs::write(directory.path().join("root.json"), r#"{"doc_root": "configured"}"#).unwrap();
    assert_snapshot(
        "document_roots",
        &each(
            directory.path(),
            &[&["missing"], &["file.txt"], &["file.txt/inner"], &[""], &["--config", "root.json"]],
        ),
    );
}

#[test]
fn configuration_files_that_cannot_be_read() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("bytes.json"), b"{\"doc_root\": \"\xff\"}").unwrap();
    assert_snapshot(
        "config_unreadable",
        &each(
            directory.path(),
            &[
                &["--config", "missing.json"],
                &["--config", "."],
                &["--config", "bytes.json"],
                &["--config", ""],
            ],
        ),
    );
}

/// The message for each content of a configuration file.
fn configurations(contents: &[&str]) -> String {
    let directory = TempDir::new().unwrap();
    let mut text = String::new();
    for content in contents {
        fs::write(directory.path().join("c.json"), content).unwrap();
        let said = run(directory.path(), &["--port", "0", "--config", "c.json"], "none");
        let (_, said) = said.split_once('\n').unwrap();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{content}\n{said}");
    }
    text
}

#[test]
fn configurations_that_are_no_json() {
    assert_snapshot(
        "config_no_json",
        &configurations(&[
            "",
            "{",
            "{\"doc_root\": }",
            "{\n  \"ports\": {\"http\": [1,]}\n}",
            "{'doc_root': 'x'}",
            "{} x",
            "[]",
            "\"text\"",
            "null",
        ]),
    );
}

#[test]
fn configurations_with_unknown_keys() {
    assert_snapshot(
        "config_unknown_keys",
        &configurations(&[
            r#"{"browser_hots": "x"}"#,
            r#"{"docroot": "x"}"#,
            r#"{"port": {"http": [1]}}"#,
            r#"{"zzz": 1}"#,
            r#"{"": 1}"#,
            r#"{"logging": {"levle": "x"}}"#,
            r#"{"logging": {"zzz": "x"}}"#,
            r#"{"ssl": {"openssl": {"passwrod": "x"}}}"#,
            r#"{"ssl": {"none": {"x": 1}}}"#,
        ]),
    );
}

#[test]
fn configurations_with_values_of_the_wrong_kind() {
    assert_snapshot(
        "config_wrong_kinds",
        &configurations(&[
            r#"{"browser_host": 3}"#,
            r#"{"browser_host": null}"#,
            r#"{"doc_root": ["x"]}"#,
            r#"{"alternate_hosts": {"alt": 3}}"#,
            r#"{"alternate_hosts": "x"}"#,
            r#"{"ports": [8000]}"#,
            r#"{"ports": {"http": 8000}}"#,
            r#"{"ports": {"http": ["8000"]}}"#,
            r#"{"ports": {"http": [65536]}}"#,
            r#"{"ports": {"http": [-1]}}"#,
            r#"{"ports": {"http": ["Auto"]}}"#,
            r#"{"check_subdomains": "yes"}"#,
            r#"{"bind_address": 0}"#,
            r#"{"ssl": "none"}"#,
            r#"{"ssl": {"type": "letsencrypt"}}"#,
            r#"{"ssl": {"type": null}}"#,
            r#"{"aliases": {}}"#,
            r#"{"aliases": [{"url-path": "/x"}]}"#,
            r#"{"logging": 3}"#,
            r#"{"logging": {"level": 3}}"#,
        ]),
    );
}

#[test]
fn configurations_with_unknown_schemes() {
    assert_snapshot(
        "config_unknown_schemes",
        &configurations(&[
            r#"{"ports": {"htps": [1]}}"#,
            r#"{"ports": {"HTTP": [1]}}"#,
            r#"{"ports": {"https-lokal": [1]}}"#,
            r#"{"ports": {"gopher": [70]}}"#,
        ]),
    );
}

#[test]
fn configurations_with_wrong_aliases() {
    assert_snapshot(
        "config_aliases",
        &configurations(&[
            r#"{"aliases": [{"url-path": "x/", "local-dir": "."}]}"#,
            r#"{"aliases": [{"url-path": "", "local-dir": "."}]}"#,
            r#"{"aliases": [{"url-path": "/a b/", "local-dir": "."}]}"#,
            r#"{"aliases": [{"url-path": "/a*/", "local-dir": "."}]}"#,
            r#"{"aliases": [{"url-path": "/x/", "local-dir": "."},
             {"url-path": "/y/", "local-dir": "missing"}]}"#,
            r#"{"aliases": [{"url-path": "/x/", "local-dir": "c.json"}]}"#,
            r#"{"aliases": [{"url-path": "/x/", "local-dir": ""}]}"#,
            r#"{"aliases": [{"url_path": "/x/", "local-dir": "."}]}"#,
            r#"{"aliases": [["/x/", "."]]}"#,
        ]),
    );
}

#[test]
fn configurations_with_wrong_rewrites() {
    assert_snapshot(
        "config_rewrites",
        &configurations(&[
            r#"{"rewrites": {"/a": "/b"}}"#,
            r#"{"rewrites": [["GET", "/a"]]}"#,
            r#"{"rewrites": ["GET /a /b"]}"#,
            r#"{"rewrites": [[3, "/a", "/b"]]}"#,
            r#"{"rewrites": [[[], "/a", "/b"]]}"#,
            r#"{"rewrites": [["A B", "/a", "/b"]]}"#,
            r#"{"rewrites": [["GET", "a", "/b"]]}"#,
            r#"{"rewrites": [["GET", "/a?x", "/b"]]}"#,
            r#"{"rewrites": [["GET", "/a", "b"]]}"#,
            r#"{"rewrites": [["GET", "/a", "/b\n"]]}"#,
        ]),
    );
}

#[test]
fn configurations_with_wrong_routes() {
    assert_snapshot(
        "config_routes",
        &configurations(&[
            r#"{"routes": [["GET", "/a", "file"]]}"#,
            r#"{"routes": [{"method": "GET", "path": "/a"}]}"#,
            r#"{"routes": [{"method": "GET", "path": "/a", "handler": "file", "base": "x"}]}"#,
            r#"{"routes": [{"method": "GET", "path": "", "handler": "file"}]}"#,
            r#"{"routes": [{"method": "GET", "path": "/{", "handler": "file"}]}"#,
            r#"{"routes": [{"method": "GET", "path": "/*/*", "handler": "file"}]}"#,
            r#"{"routes": [{"method": ["GET", ""], "path": "/a", "handler": "file"}]}"#,
            r#"{"routes": [{"method": "GET", "path": "/a", "handler": "files"}]}"#,
            r#"{"routes": [{"method": "GET", "path": "/a", "handler": {"status": 404}}]}"#,
            r#"{"routes": [{"method": "GET", "path": "/a", "handler": {"error": "404"}}]}"#,
            r#"{"routes": [{"method": "GET", "path": "/a", "handler": {"error": 200}}]}"#,
            r#"{"routes": [{"method": "GET", "path": "/a", "handler": {"error": 404, "text": ""}}]}"#,
            r#"{"routes": [{"method": "GET", "path": "/a", "handler": {"string": "x"}}]}"#,
            r#"{"routes": [{"method": "GET", "path": "/a", "handler": {"string": {}}}]}"#,
            r#"{"routes": [{"method": "GET", "path": "/a",
             "handler": {"string": {"content": "", "content_type": "a\nb"}}}]}"#,
            r#"{"routes": [{"method": "GET", "path": "/a", "handler": {"error": 404}, "base_path": "."}]}"#,
            r#"{"routes": [{"method": "GET", "path": "/a", "handler": "file", "base_path": "missing"}]}"#,
            r#"{"routes": [{"method": "GET", "path": "/a", "handler": "file", "url_base": "/a"}]}"#,
        ]),
    );
}

#[test]
fn configurations_with_old_names() {
    assert_snapshot(
        "config_old_names",
        &configurations(&[
            r#"{"host": "a"}"#,
            r#"{"bind_hostname": true, "external_host": "127.0.0.1"}"#,
            r#"{"host_ip": "127.0.0.1"}"#,
        ]),
    );
}

#[test]
fn handlers_that_cannot_run() {
    let directory = TempDir::new().unwrap();
    assert_snapshot("handlers", &each(directory.path(), &[&["--port", "0"]]));
}

#[test]
fn a_port_in_use() {
    let directory = TempDir::new().unwrap();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let text = each(directory.path(), &[&["--port", &port]]);
    let text = text.replace(&port, "PORT");
    // The holder is this process, where the system tells.
    let text = mask(&text, "is in use", ";", "[ by NAME (pid N)]");
    assert_snapshot("port_in_use", &text);
}

/// A checkout, a root that is none, and configurations with something wrong.
#[test]
fn environments_that_cannot_be_served() {
    let directory = TempDir::new().unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port().to_string();
    let taken = format!(r#"{{"ports": {{"http": ["auto"], "https": [{port}]}}}}"#);
    let nothing = r#""http-local": [], "http-public": [], "https-local": [], "https-public": [],
        "h2": [], "ws": [], "wss": []"#;
    let key = format!(
        r#"{{"ports": {{"http": ["auto"], "https": ["auto"], {nothing}}},
            "ssl": {{"type": "pregenerated",
                    "pregenerated": {{"host_key_path": "none.key", "host_cert_path": "none.pem"}}}}}}"#
    );
    for (path, content) in [
        ("wpt/resources/testharness.js", ""),
        ("empty/page.html", ""),
        ("taken.json", &taken),
        ("key.json", &key),
        ("neighbour.json", r#"{"alternate_host": {}}"#),
        ("site.json", r#"{"alternate_hosts": {"alt": "www.web-platform.test"}}"#),
        ("scheme.json", r#"{"ports": {"webtransport": []}}"#),
    ] {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let with = |config: &'static str| vec!["wpt", "wpt", "--config", config];
    let cases = [
        vec!["wpt", "empty"],
        vec!["wpt", "nowhere"],
        with("neighbour.json"),
        with("scheme.json"),
        with("site.json"),
        with("missing.json"),
        with("key.json"),
        with("taken.json"),
        vec!["wpt", "wpt", "--webtransport-h3"],
    ];
    let cases: Vec<&[&str]> = cases.iter().map(Vec::as_slice).collect();
    let text = each(directory.path(), &cases);
    let text = mask(&text, "is in use", ";", "[ by NAME (pid N)]");
    let folder = fs::canonicalize(directory.path()).unwrap();
    let text = text.replace(&port, "PORT").replace(&*folder.to_string_lossy(), "DIR");
    assert_snapshot("environments", &text);
}

#[test]
fn hosts_that_cannot_be_listened_on() {
    let directory = TempDir::new().unwrap();
    // An address for documentation: no machine's own.
    let text = each(
        directory.path(),
        &[
            &["--host", "no-such-name.invalid", "--port", "0"],
            &["--host", "192.0.2.1", "--port", "0"],
            &["--host", "", "--port", "0"],
        ],
    );
    // The system's words.
    let text = mask(&text, "to an address: ", "; use", "[REASON]");
    let text = mask(&text, "192.0.2.1:0: ", "\n", "[REASON]");
    assert_snapshot("hosts", &text);
}

#[test]
fn an_address_that_others_can_reach() {
    let directory = TempDir::new().unwrap();
    for format in ["text", "json"] {
        let text = each(
            directory.path(),
            &[&["--host", "0.0.0.0", "--port", "0", "--log-format", format]],
        );
        let text = mask(&text, "0.0.0.0:", " can be", "PORT");
        let text = mask(&text, "\"time\":", ",", "TIME");
        assert_snapshot(&format!("exposed_{format}"), &text);
    }
}

#[test]
fn a_ready_file_that_cannot_be_written() {
    let directory = TempDir::new().unwrap();
    let arguments = ["--port", "0", "--ready-file", "missing/ready.json"];
    assert_snapshot("ready_file", &run(directory.path(), &arguments, "some"));
}

/// Serves until a signal: what it says, what is in the ready file then, and how it ends.
#[cfg(unix)]
#[test]
fn serving_until_a_signal() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("tests")).unwrap();
    for signal in ["TERM", "INT"] {
        let arguments = ["tests", "--port", "0", "--ready-file", "ready.json"];
        let mut process = Process::start(directory.path(), &arguments, "some");
        let mut stdout = BufReader::new(process.child.stdout.take().unwrap());
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            while !line.starts_with("Serving ") {
                line.clear();
                if stdout.read_line(&mut line).unwrap() == 0 {
                    return;
                }
            }
            // Nobody listens when the test has failed.
            let _ = tell.send(line);
        });
        let line = told.recv_timeout(DEADLINE).expect("it never served");
        let ready = fs::read_to_string(directory.path().join("ready.json")).unwrap();
        let port = line.trim_end().trim_end_matches('/').rsplit_once(':').unwrap().1.to_owned();
        assert_eq!(line, format!("Serving tests at http://127.0.0.1:{port}/\n"));
        assert_eq!(
            ready,
            format!(
                "{{\"pid\":{},\"url\":\"http://127.0.0.1:{port}/\",\"listeners\":\
                 [{{\"scheme\":\"http\",\"host\":\"127.0.0.1\",\"port\":{port}}}]}}\n",
                process.child.id()
            )
        );
        let pid = process.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        assert_eq!(process.end(), (String::new(), 0));
    }
}

#[test]
fn certificates() {
    let directory = TempDir::new().unwrap();
    let here = fs::canonicalize(directory.path()).unwrap();
    let path = |name: &str| here.join(name);
    for (name, key, certificate) in [
        ("missing", "no.key", "no.pem"),
        ("no_pem", "text", "text"),
        ("no_name", "", ""),
        ("swapped", "data/wptserve/authority/ca.pem", "data/wptserve/authority/ca.key"),
        ("no_key", "data/wptserve/authority/ca.pem", "data/wptserve/authority/ca.pem"),
        ("encrypted", "encrypted.key", "data/wptserve/authority/ca.pem"),
        ("malformed", "malformed.key", "data/wptserve/authority/ca.pem"),
    ] {
        let pair = match name {
            "no_name" => String::new(),
            _ => format!(r#""host_key_path": "{key}", "host_cert_path": "{certificate}""#),
        };
        let text = format!(
            r#"{{"ports": {{"https": [0]}},
                "ssl": {{"type": "pregenerated", "pregenerated": {{{pair}}}}}}}"#
        );
        fs::write(path(&format!("{name}.json")), text).unwrap();
    }
    let pem = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
    fs::write(path("text"), "text").unwrap();
    fs::write(path("encrypted.key"), pem("ENCRYPTED PRIVATE KEY")).unwrap();
    fs::write(path("malformed.key"), pem("PRIVATE KEY")).unwrap();
    let text = each(
        &here,
        &[
            &["certs", "--help"],
            &["certs"],
            &["certs", "ca"],
            &["certs", "show"],
            &["--config", "missing.json"],
            &["--config", "no_pem.json"],
            &["--config", "no_name.json"],
            &["--config", "swapped.json"],
            &["--config", "no_key.json"],
            &["--config", "encrypted.json"],
            &["--config", "malformed.json"],
        ],
    );
    fs::remove_file(path("data/wptserve/authority/ca.key")).unwrap();
    let text = format!("{text}\n{}", each(&here, &[&["certs", "ca"]]));
    let text = mask(&text, "  ends     ", "\n", "DATE");
    let text = mask(&text, "  SPKI     ", "\n", "HASH");
    assert_snapshot("certificates", &mask(&text, "  SHA-256  ", "\n", "HASH"));
}
