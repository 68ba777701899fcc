//! Requests that cannot be read: each has its status and message, and ends the connection.

use crate::{
    handlers::{Echo, ok},
    harness::{Running, Setup, assert_bytes, error},
};

fn echo() -> Running {
    Setup::new().route("/echo*", Echo).start()
}

/// A request, and the status, the reason and the message that it is owed.
type Case = (&'static str, u16, &'static str, &'static str);

/// Each request is refused, and what looks like a request behind it is not answered.
fn are_refused(cases: &[Case]) {
    let server = echo();
    for &(request, status, reason, message) in cases {
        let answer = server.answer(format!("{request}\r\nGET /echo HTTP/1.1\r\n\r\n"));
        let expected = error(status, reason, message, true);
        assert!(answer == expected, "{request:?}: {}", answer.escape_ascii());
    }
}

#[test]
fn bad_request_lines() {
    are_refused(&[
        ("GET /echo", 400, "Bad Request", "Bad request line"),
        ("GET /echo HTTP/1.1 \r\n", 400, "Bad Request", "Bad request line"),
        ("GET  /echo HTTP/1.1\r\n", 400, "Bad Request", "Bad request line"),
        (" GET /echo HTTP/1.1\r\n", 400, "Bad Request", "Bad request line"),
        ("G(T /echo HTTP/1.1\r\n", 400, "Bad Request", "Bad request line"),
        ("GET /echo http/1.1\r\n", 400, "Bad Request", "Bad request line"),
        ("GET /echo\0 HTTP/1.1\r\n", 400, "Bad Request", "Bad request line"),
        ("GET /echo HTTP/01.1\r\n", 400, "Bad Request", "Bad request line"),
        ("\u{16}\u{3}\u{1}", 400, "Bad Request", "Bad request line"),
        ("GET /echo HTTP/2.0\r\n", 505, "HTTP Version Not Supported", "HTTP version not supported"),
    ]);
}

#[test]
fn bad_fields() {
    are_refused(&[
        ("GET /echo HTTP/1.1\r\nno colon\r\n", 400, "Bad Request", "Bad header field"),
        ("GET /echo HTTP/1.1\r\nA : b\r\n", 400, "Bad Request", "Bad header field"),
        ("GET /echo HTTP/1.1\r\nA: b\r\n c\r\n", 400, "Bad Request", "Bad header field"),
        ("GET /echo HTTP/1.1\r\n: b\r\n", 400, "Bad Request", "Bad header field"),
        ("GET /echo HTTP/1.1\r\nA: \0\r\n", 400, "Bad Request", "Bad header field"),
    ]);
}

#[test]
fn bad_lengths_and_codings() {
    let bad = "Bad Request";
    are_refused(&[
        ("POST /echo HTTP/1.1\r\nContent-Length: x\r\n", 400, bad, "Bad Content-Length"),
        ("POST /echo HTTP/1.1\r\nContent-Length: -1\r\n", 400, bad, "Bad Content-Length"),
        ("POST /echo HTTP/1.1\r\nContent-Length: +1\r\n", 400, bad, "Bad Content-Length"),
        ("POST /echo HTTP/1.1\r\nContent-Length:\r\n", 400, bad, "Bad Content-Length"),
        (
            "POST /echo HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n",
            400,
            bad,
            "Bad Content-Length",
        ),
        (
            "POST /echo HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
            400,
            bad,
            "Differing Content-Lengths",
        ),
        (
            "POST /echo HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            400,
            bad,
            "Content-Length with Transfer-Encoding",
        ),
        (
            "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n",
            400,
            bad,
            "Transfer-Encoding in HTTP/1.0",
        ),
        (
            "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n",
            400,
            bad,
            "Bad Transfer-Encoding",
        ),
        (
            "POST /echo HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n",
            501,
            "Not Implemented",
            "Unknown transfer coding",
        ),
    ]);
}

#[test]
fn bad_chunks() {
    let server = echo();
    for (body, message) in [
        ("x\r\n", "Bad chunk size"),
        ("-1\r\n", "Bad chunk size"),
        ("1\nx\r\n0\r\n\r\n", "Bad chunk size"),
        ("1\r\nxy\r\n", "Chunk data not followed by a line end"),
        ("10000000000000000\r\n", "Chunk size too large"),
        ("0\r\nno colon\r\n\r\n", "Bad trailer field"),
        ("5\r\nhel", "the connection ended within the body"),
        ("5", "the connection ended within the body"),
        ("", "the connection ended within the body"),
    ] {
        let answer = server
            .answer(format!("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}"));
        let expected = error(400, "Bad Request", message, true);
        assert!(answer == expected, "{body:?}: {}", answer.escape_ascii());
    }
}

#[test]
fn a_head_that_is_cut_short() {
    let server = echo();
    let message = "the connection ended within a request's head";
    for head in ["G", "GET /echo HTTP/1.1\r\n", "GET /echo HTTP/1.1\r\nA: b\r\n"] {
        assert_bytes(server.answer(head), error(400, "Bad Request", message, true));
    }
}

#[test]
fn heads_that_are_too_large() {
    let server = echo();
    let long = "a".repeat(65_536);
    let answer = server.answer(format!("GET /{long} HTTP/1.1\r\n\r\n"));
    let message = "Request line longer than 65536 bytes";
    assert_bytes(answer, error(414, "Request-URI Too Long", message, true));

    let answer = server.answer(format!("GET / HTTP/1.1\r\nA: {long}\r\n\r\n"));
    assert_bytes(answer, error(431, "", "Header field longer than 65536 bytes", true));

    let many = "A: b\r\n".repeat(513);
    let answer = server.answer(format!("GET / HTTP/1.1\r\n{many}\r\n"));
    let message = "More than 512 header fields or 1048576 bytes of them";
    assert_bytes(answer, error(431, "", message, true));

    let many = "A: b\r\n".repeat(512);
    assert_bytes(server.answer(format!("GET /echo HTTP/1.1\r\n{many}\r\n")), ok("GET /echo: "));
}

#[test]
fn what_comes_before_a_bad_request_is_answered() {
    let server = echo();
    let answer = server.answer("GET /echo HTTP/1.1\r\n\r\nbad\r\n\r\nGET /echo HTTP/1.1\r\n\r\n");
    let expected = [ok("GET /echo: "), error(400, "Bad Request", "Bad request line", true)];
    assert_bytes(answer, expected.concat());
}
