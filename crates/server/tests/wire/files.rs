//! Files, directories, `.asis` files, and paths that lead nowhere.

use std::{
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
};

use tempfile::TempDir;

use crate::harness::{Running, Setup, assert_bytes, error};

fn files() -> Running {
    let server = Setup::new().with_files().start();
    let root = server.root();
    fs::write(root.join("text.txt"), "text\n").unwrap();
    fs::write(root.join("page.html"), "<p>").unwrap();
    fs::write(root.join("empty"), "").unwrap();
    fs::write(root.join("a b+ü.js"), "1").unwrap();
    fs::write(root.join("raw.asis"), "HTTP/1.1 299 Odd\r\nX: y\r\n\r\nraw").unwrap();
    fs::create_dir_all(root.join("dir/inner")).unwrap();
    fs::write(root.join("dir/a&b"), "").unwrap();
    fs::write(root.join("dir/x.txt"), "x").unwrap();
    fs::write(root.join("dir/x.txt.headers"), "X: y").unwrap();
    server
}

fn get(server: &Running, target: &str) -> Vec<u8> {
    server.answer(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"))
}

fn ok(content_type: &str, content: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nServer: S\r\nDate: D\r\n\
         Content-Length: {}\r\n\r\n{content}",
        content.len()
    )
}

/// `dir/x.txt`, which has a `.headers` file.
fn with_headers() -> String {
    ok("text/plain\r\nX: y", "x")
}

fn moved(location: &str) -> String {
    format!(
        "HTTP/1.1 301 Moved Permanently\r\nLocation: {location}\r\nServer: S\r\nDate: D\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

fn not_found() -> Vec<u8> {
    error(404, "Not Found", "404", false)
}

#[test]
fn a_transfer_coding_of_the_files_own_gets_no_length_beside_it() {
    let server = files();
    let chunked = "5\r\ntext\n\r\n0\r\n\r\n";
    fs::write(server.root().join("chunked.txt"), chunked).unwrap();
    fs::write(server.root().join("chunked.txt.headers"), "Transfer-Encoding: chunked").unwrap();
    fs::write(server.root().join("piped.txt"), chunked).unwrap();
    for target in ["/chunked.txt", "/piped.txt?pipe=header(Transfer-Encoding,chunked)"] {
        assert_bytes(
            get(&server, target),
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\
                 Server: S\r\nDate: D\r\nConnection: close\r\n\r\n{chunked}"
            ),
        );
    }
}

#[test]
fn files_of_many_types() {
    let server = files();
    assert_bytes(get(&server, "/text.txt"), ok("text/plain", "text\n"));
    assert_bytes(get(&server, "/text.txt?q#f"), ok("text/plain", "text\n"));
    assert_bytes(get(&server, "/page.html"), ok("text/html", "<p>"));
    assert_bytes(get(&server, "/empty"), ok("application/octet-stream", ""));
    assert_bytes(get(&server, "/a%20b%2B%C3%BC.js"), ok("text/javascript", "1"));
    assert_bytes(get(&server, "/dir/x.txt"), with_headers());
}

#[test]
fn a_connection_stays_behind_a_file() {
    let server = files();
    let answer = server.answer("GET /text.txt HTTP/1.1\r\n\r\n".repeat(3));
    assert_bytes(answer, ok("text/plain", "text\n").repeat(3));
}

#[test]
fn head_of_files() {
    let server = files();
    let answer = server.answer("HEAD /text.txt HTTP/1.1\r\n\r\nHEAD /empty HTTP/1.1\r\n\r\n");
    let text = ok("text/plain", "text\n");
    let head = text.strip_suffix("text\n").unwrap();
    assert_bytes(answer, format!("{head}{}", ok("application/octet-stream", "")));
}

#[test]
fn a_large_file_is_streamed_whole() {
    let server = files();
    let content: Vec<u8> = (0..9_000_011_u32).map(|number| number.to_le_bytes()[0]).collect();
    fs::write(server.root().join("large.bin"), &content).unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nServer: S\r\nDate: D\r\n\
         Content-Length: {}\r\n\r\n",
        content.len()
    );
    let answer = server.answer(
        "GET /large.bin HTTP/1.1\r\n\r\nHEAD /large.bin HTTP/1.1\r\n\r\n\
         GET /text.txt HTTP/1.1\r\n\r\n",
    );
    let text = ok("text/plain", "text\n");
    assert_bytes(answer, [head.as_bytes(), &content, head.as_bytes(), text.as_bytes()].concat());
}

#[test]
fn files_around_the_size_from_which_they_are_streamed() {
    let server = files();
    for length in [256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1] {
        let content = "x".repeat(length);
        fs::write(server.root().join("edge.txt"), &content).unwrap();
        assert_bytes(get(&server, "/edge.txt"), ok("text/plain", &content));
    }
}

#[test]
fn a_part_of_a_large_file_is_sent_from_its_place() {
    let server = files();
    let content: Vec<u8> = (0..=250).cycle().step_by(7).take(700_000).collect();
    fs::write(server.root().join("large.bin"), &content).unwrap();
    let ends_with = |answer: &[u8], expected: &[u8]| {
        let head = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
        assert!(&answer[head + 4..] == expected, "{} bytes", answer.len() - head - 4);
    };
    let range = "GET /large.bin HTTP/1.1\r\nRange: bytes=300000-650000\r\n\r\n";
    ends_with(&server.answer(range), &content[300_000..=650_000]);
    ends_with(&get(&server, "/large.bin?pipe=close(600001)"), &content[..600_001]);
    ends_with(&get(&server, "/large.bin?pipe=close(0)"), b"");
    ends_with(&get(&server, "/large.bin?pipe=slice(1,-1)"), &content[1..699_999]);
}

#[test]
fn an_asis_file_is_sent_as_it_is_and_closes() {
    let server = files();
    for method in ["GET", "HEAD"] {
        let mut client = server.connect();
        client.send(format!("{method} /raw.asis HTTP/1.1\r\n\r\n").repeat(2));
        assert_bytes(client.receive_rest(), "HTTP/1.1 299 Odd\r\nX: y\r\n\r\nraw");
    }
    assert_bytes(get(&server, "/missing.asis"), not_found());
}

#[test]
fn other_methods_have_no_route() {
    let server = files();
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "get", "X"] {
        let answer = server.answer(format!("{method} /text.txt HTTP/1.1\r\n\r\n"));
        assert_bytes(answer, error(404, "Not Found", "", false));
    }
}

#[test]
fn a_directory_without_its_slash_redirects() {
    let server = files();
    let port = server.address.port();
    assert_bytes(get(&server, "/dir"), moved(&format!("http://h:{port}/dir/")));
    assert_bytes(get(&server, "/dir?q=/?"), moved(&format!("http://h:{port}/dir/?q=/?")));
    assert_bytes(get(&server, "/d%69r"), moved(&format!("http://h:{port}/d%69r/")));
    let answer = server.answer("GET /dir HTTP/1.1\r\nHost: other:1\r\n\r\n");
    assert_bytes(answer, moved("http://other:1/dir/"));
    let answer = server.answer("GET /dir HTTP/1.1\r\n\r\n");
    assert_bytes(answer, moved(&format!("http://127.0.0.1:{port}/dir/")));
    assert_bytes(get(&server, "http://else:2/dir?q"), moved("http://else:2/dir/?q"));
}

#[test]
fn a_redirect_puts_the_slash_before_a_fragment() {
    let server = files();
    let port = server.address.port();
    assert_bytes(get(&server, "/dir#f"), moved(&format!("http://h:{port}/dir/#f")));
    assert_bytes(get(&server, "/dir#f?q"), moved(&format!("http://h:{port}/dir/#f?q")));
}

#[test]
fn a_directory_is_listed() {
    let server = files();
    assert_bytes(
        get(&server, "/dir/"),
        ok(
            "text/html",
            "<!doctype html>\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>Directory listing for /dir/</title>\n\
             <h1>Directory listing for /dir/</h1>\n\
             <ul>\n\
             <li class=\"dir\"><a href=\"/\">..</a></li>\n\
             <li class=\"file\"><a href=\"a%26b\">a&amp;b</a></li>\n\
             <li class=\"dir\"><a href=\"inner/\">inner</a></li>\n\
             <li class=\"file\"><a href=\"x.txt\">x.txt</a> (<a href=\"x.txt.headers\">.headers</a>)</li>\n\
             </ul>\n",
        ),
    );
    assert_bytes(
        get(&server, "/dir/inner/"),
        ok(
            "text/html",
            "<!doctype html>\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>Directory listing for /dir/inner/</title>\n\
             <h1>Directory listing for /dir/inner/</h1>\n\
             <ul>\n\
             <li class=\"dir\"><a href=\"/dir/\">..</a></li>\n\
             </ul>\n",
        ),
    );
}

#[test]
fn paths_that_lead_nowhere() {
    let server = files();
    for target in [
        "/missing",
        "/text.txt/",
        "/text.txt/x",
        "/dir/missing/",
        "/../text.txt",
        "/dir/../text.txt",
        "/dir/..",
        "/%2e%2e/text.txt",
        "/dir/.%2e/text.txt",
        "/dir%2f..%2ftext.txt",
        "/a..b",
        "/text.txt%00",
        "/%00",
        "/text%2etxt%00.html",
        "/%2fetc/hostname",
        "/%2f",
        "/a%20b+ü.js",
    ] {
        let answer = get(&server, target);
        assert!(answer == not_found(), "{target}: {}", answer.escape_ascii());
    }
}

#[test]
fn paths_that_lead_somewhere_after_all() {
    let server = files();
    for target in ["/t%65xt.txt", "//text.txt", "/./text.txt", "/dir//x.txt", "http://h/text.txt"] {
        let answer = get(&server, target);
        let expected =
            if target.starts_with("/dir") { with_headers() } else { ok("text/plain", "text\n") };
        assert_bytes(answer, expected);
    }
    assert_bytes(get(&server, "http://h//text.txt"), not_found());
}

#[test]
fn raw_bytes_beyond_ascii_are_latin_1_characters() {
    let server = files();
    fs::write(server.root().join("é.txt"), "latin").unwrap();
    let answer = server.answer(b"GET /\xe9.txt HTTP/1.1\r\n\r\n");
    assert_bytes(answer, ok("text/plain", "latin"));
}

#[test]
fn a_name_that_is_no_utf_8_is_served() {
    let server = files();
    let name = Path::new(std::ffi::OsStr::from_bytes(b"\xff.txt"));
    // Some file systems have no such names.
    if fs::write(server.root().join(name), "bytes").is_ok() {
        assert_bytes(get(&server, "/%ff.txt"), ok("text/plain", "bytes"));
    }
}

#[test]
fn symbolic_links_are_followed() {
    let server = files();
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("out.txt"), "out").unwrap();
    let root = server.root();
    symlink("text.txt", root.join("link.html")).unwrap();
    symlink("dir", root.join("link-dir")).unwrap();
    symlink(outside.path(), root.join("outside")).unwrap();
    symlink("nowhere", root.join("broken")).unwrap();
    symlink("loop", root.join("loop")).unwrap();

    // The type is that of the link's name.
    assert_bytes(get(&server, "/link.html"), ok("text/html", "text\n"));
    assert_bytes(get(&server, "/link-dir/x.txt"), with_headers());
    assert_bytes(get(&server, "/outside/out.txt"), ok("text/plain", "out"));
    let port = server.address.port();
    assert_bytes(get(&server, "/link-dir"), moved(&format!("http://h:{port}/link-dir/")));
    assert_bytes(get(&server, "/broken"), not_found());
    assert_bytes(get(&server, "/loop"), not_found());
    assert_bytes(
        get(&server, "/outside/"),
        ok(
            "text/html",
            "<!doctype html>\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>Directory listing for /outside/</title>\n\
             <h1>Directory listing for /outside/</h1>\n\
             <ul>\n\
             <li class=\"dir\"><a href=\"/\">..</a></li>\n\
             <li class=\"file\"><a href=\"out.txt\">out.txt</a></li>\n\
             </ul>\n",
        ),
    );
}

#[test]
fn an_asis_directory_is_no_file() {
    let server = files();
    let root = fs::canonicalize(server.root()).unwrap();
    fs::create_dir(root.join("dir.asis")).unwrap();
    let message = format!(
        "Internal server error loading http://h:{}/dir.asis:\\n  {} is a directory; an .asis \
         route serves files",
        server.address.port(),
        root.join("dir.asis").display()
    );
    assert_bytes(get(&server, "/dir.asis"), error(500, "Internal Server Error", &message, false));
}

#[test]
fn a_named_pipe_does_not_stop_the_server() {
    let server = files();
    let pipe = server.root().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let mut client = server.connect();
    client.send("GET /pipe HTTP/1.1\r\n\r\n");
    let mut other = server.connect();
    other.send("GET /text.txt HTTP/1.0\r\n\r\n");
    let answer = other.receive_until(1, std::time::Duration::from_secs(2));
    // Lets a server go that waits for a writer.
    let _writer = fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    assert_bytes(answer, "H");
}
