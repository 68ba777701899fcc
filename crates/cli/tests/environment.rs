//! What `wptserve hosts`, `browser-args` and `doctor` print, and what they leave behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod command;

use std::{fs, net::TcpListener, path::Path, process};

use tempfile::TempDir;

use command::{assert_snapshot, run};

/// A checkout with few names, none of which resolves, and no fixed ports.
fn checkout() -> TempDir {
    let directory = TempDir::new().unwrap();
    write(&directory, "wpt/resources/testharness.js", "");
    write(&directory, "wpt/config.json", CONFIG);
    directory
}

const CONFIG: &str = r#"{
    "browser_host": "web.invalid",
    "alternate_hosts": {"alt": "other.invalid"},
    "subdomains": ["www", "élève"],
    "not_subdomains": ["nonexistent", "nonexistent.nonexistent"],
    "ports": {
        "http": ["auto", "auto"], "https": ["auto"], "h2": ["auto"], "dns": ["auto"]
    }
}"#;

fn write(directory: &TempDir, path: &str, content: &str) {
    let path = directory.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Runs the command with each line of arguments, what changes from run to run masked.
fn each(directory: &Path, cases: &[&[&str]]) -> String {
    let texts: Vec<String> = cases.iter().map(|case| run(directory, case, "none")).collect();
    let real = directory.canonicalize().unwrap().display().to_string();
    texts.join("\n").replace(&real, "[DIR]").replace(&format!("pid {}", process::id()), "pid [PID]")
}

fn shown(directory: &TempDir, path: &str) -> String {
    let text = fs::read_to_string(directory.path().join(path)).unwrap();
    format!("--- {path}\n{text}---\n")
}

#[test]
fn help() {
    let directory = TempDir::new().unwrap();
    let cases: [&[&str]; 4] = [
        &["hosts", "--help"],
        &["browser-args", "--help"],
        &["doctor", "--help"],
        &["doctor", "-h"],
    ];
    assert_snapshot("environment_help", &each(directory.path(), &cases));
}

#[test]
fn arguments() {
    let directory = TempDir::new().unwrap();
    write(&directory, "wrong.json", r#"{"browser_hots": "x"}"#);
    write(&directory, "ready.json", r#"{"pid": 1}"#);
    let cases: [&[&str]; 9] = [
        &["hosts", "--install", "--remove"],
        &["hosts", "--ip", "localhost"],
        &["hosts", "--root", "missing"],
        &["hosts", "--config", "wrong.json"],
        &["browser-args"],
        &["browser-args", "netscape"],
        &["browser-args", "chrome", "--ready-file", "missing.json"],
        &["browser-args", "chrome", "--ready-file", "ready.json"],
        &["doctor", "a", "b"],
    ];
    assert_snapshot("environment_arguments", &each(directory.path(), &cases));
}

#[test]
fn entries_are_those_of_the_environment() {
    let directory = TempDir::new().unwrap();
    let text = each(directory.path(), &[&["hosts"], &["hosts", "--ip", "::1"]]);
    assert_snapshot("hosts_of_the_environment", &text);
}

#[test]
fn a_hosts_file_is_edited() {
    let directory = checkout();
    let before = "127.0.0.1 localhost\n# mine\n";
    write(&directory, "hosts", before);
    let edit = |arguments: &[&str]| {
        let all = [&["hosts", "--root", "wpt", "--file", "hosts"], arguments].concat();
        each(directory.path(), &[&all]) + &shown(&directory, "hosts")
    };
    let mut text = edit(&["--install"]);
    text += &edit(&["--install"]);
    text += &edit(&["--install", "--ip", "10.0.0.1"]);
    text += &edit(&["--remove"]);
    text += &edit(&["--remove"]);
    assert_eq!(fs::read_to_string(directory.path().join("hosts")).unwrap(), before);
    write(&directory, "hosts", "10.0.0.1 web.invalid\n127.0.0.1\twww.web.invalid\n");
    text += &edit(&["--install"]);
    text += &edit(&["--remove"]);
    write(&directory, "hosts", "# Start web-platform-tests hosts\n");
    text += &edit(&["--install"]);
    assert_snapshot("hosts_edited", &text);
}

#[test]
fn a_hosts_file_that_cannot_be_edited() {
    let directory = checkout();
    let cases: [&[&str]; 2] = [
        &["hosts", "--root", "wpt", "--install", "--file", "wpt"],
        &["hosts", "--root", "wpt", "--install", "--file", "missing/hosts"],
    ];
    assert_snapshot("hosts_not_edited", &each(directory.path(), &cases));
}

const READY: &str = r#"{"pid": 1, "url": "http://web.invalid:8001/", "listeners": [
    {"scheme": "http", "host": "0.0.0.0", "port": 8001},
    {"scheme": "http-public", "host": "0.0.0.0", "port": 8002},
    {"scheme": "https-local", "host": "0.0.0.0", "port": 8003},
    {"scheme": "https", "host": "0.0.0.0", "port": 8443},
    {"scheme": "dns", "host": "0.0.0.0", "port": 8053}
]}"#;

#[test]
fn flags_of_browsers() {
    let directory = checkout();
    write(&directory, "ready.json", READY);
    let ask = |arguments: &[&str]| {
        let all = [&["browser-args", "--root", "wpt", "--profile", "profile"], arguments].concat();
        // Only root's Chromium has it.
        let mut text = each(directory.path(), &[&all]);
        for sandbox in ["--no-sandbox\n", "  \"--no-sandbox\",\n"] {
            text = text.replace(sandbox, "");
        }
        text
    };
    let mut text = ask(&["chrome"]);
    text += &ask(&["edge", "--ready-file", "ready.json", "--for-tests"]);
    text += &ask(&["chromium", "--json", "--ip", "::1"]);
    assert_snapshot("browser_args_chromium", &text);

    let mut text = ask(&["firefox"]) + &shown(&directory, "profile/user.js");
    text += &ask(&["firefox", "--for-tests", "--ip", "10.0.0.1", "--ready-file", "ready.json"]);
    text += &shown(&directory, "profile/user.js");
    text += &each(
        directory.path(),
        &[
            &["browser-args", "firefox", "--root", "wpt"],
            &["browser-args", "firefox", "--root", "wpt", "--json"],
        ],
    );
    assert_snapshot("browser_args_firefox", &text);

    let mut text = ask(&["safari", "--ready-file", "ready.json"]);
    text += &ask(&["safari", "--json"]);
    text += &ask(&["servo", "--ready-file", "ready.json"]);
    text += &shown(&directory, "profile/hosts");
    text += &each(directory.path(), &[&["browser-args", "servo", "--root", "wpt", "--json"]]);
    text += &ask(&["ladybird", "--ready-file", "ready.json"]);
    assert_snapshot("browser_args_others", &text);
}

/// The findings without those on this very machine.
#[cfg(unix)]
fn findings(directory: &TempDir, arguments: &[&str]) -> String {
    let text = each(directory.path(), &[&[&["doctor"], arguments].concat()]);
    let mut kept = String::new();
    let mut skipping = false;
    for line in text.lines() {
        let more = line.starts_with(' ');
        skipping = if more {
            skipping
        } else {
            // Without a configuration the ports are the usual ones, which may be in use.
            ["file limit:", "IPv6:", "ports: free: 8000", "port 8000 "]
                .iter()
                .any(|about| line.contains(about))
        };
        if !skipping {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// An executable that answers as a Python would.
#[cfg(unix)]
fn fake_python(directory: &TempDir, name: &str, says: &str) {
    use std::os::unix::fs::PermissionsExt;
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = -I ]; then printf '3.13.0\\n%s\\n' \"$0\"\n\
         else printf '{says}'; fi\n"
    );
    write(directory, name, &script);
    let path = directory.path().join(name);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
#[cfg(unix)]
fn an_examination() {
    let directory = checkout();
    fake_python(&directory, "python", "\\n");
    fake_python(&directory, "old", "4.0.3\\nimp\\t10\\txhr/x.py\\nyaml\\t1\\ty.py\\n");
    let python = directory.path().canonicalize().unwrap().join("python");
    let python = ["--python", python.to_str().unwrap()];
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    write(&directory, "port.json", &format!("{{\"ports\": {{\"http\": [{port}]}}}}"));
    write(&directory, "local.json", LOCAL);
    write(&directory, "wrong.json", r#"{"browser_hots": "x"}"#);
    write(&directory, "aged.json", r#"{"host": "web.invalid"}"#);
    let ask = |arguments: &[&str]| findings(&directory, &[arguments, &python].concat());
    let mut text = ask(&["wpt", "--config", "local.json"]);
    text += &ask(&["wpt", "--config", "aged.json"]);
    text += &ask(&["wpt", "--config", "wrong.json"])
        .lines()
        .take_while(|line| !line.contains(" names: "))
        .fold(String::new(), |text, line| text + line + "\n");
    text += &ask(&["missing", "--config", "local.json"]);
    text += &ask(&["wpt", "--config", "local.json", "--json"]);
    text += &findings(&directory, &["wpt", "--python", "./old", "--config", "local.json"]);
    text += &findings(&directory, &["wpt", "--python", "none", "--config", "local.json"]);
    text += &ask(&["wpt", "--config", "port.json"]).replace(&port.to_string(), "[PORT]");
    let own = std::env::current_exe().unwrap();
    // The kernel keeps 15 bytes of a name.
    let own = &own.file_name().unwrap().to_str().unwrap()[..15];
    assert_snapshot(
        "doctor",
        &text.replace(own, "[NAME]").replace(&process::id().to_string(), "[PID]"),
    );
}

/// Names that resolve everywhere.
#[cfg(unix)]
const LOCAL: &str = r#"{
    "browser_host": "localhost", "alternate_hosts": {"alt": "127.0.0.1"}, "subdomains": [],
    "ports": {"http": ["auto"], "https": [], "h2": [], "dns": []}
}"#;
