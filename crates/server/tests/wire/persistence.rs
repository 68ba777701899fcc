//! Which connections stay: HTTP/1.1 and 1.0, pipelining, HEAD, CONNECT, Expect.

use crate::{
    handlers::{Echo, Inline, ok, ok_and_close, ok_head, response},
    harness::{Setup, assert_bytes, error},
};

fn echo() -> Setup {
    Setup::new().route("/echo*", Echo)
}

#[test]
fn a_connection_answers_one_request_after_the_other() {
    let server = echo().start();
    let mut client = server.connect();
    for number in 0..3 {
        client.send(format!("GET /echo?{number} HTTP/1.1\r\nHost: h\r\n\r\n"));
        client.expect(ok(format!("GET /echo ?{number}: ")));
    }
    client.end();
    assert_bytes(client.receive_rest(), "");
}

#[test]
fn three_requests_in_one_write_are_answered_in_order() {
    let server = echo().start();
    let answer = server.answer(
        "GET /echo/1 HTTP/1.1\r\n\r\n\
         POST /echo/2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\
         GET /echo/3 HTTP/1.1\r\n\r\n",
    );
    let expected = [ok("GET /echo/1: "), ok("POST /echo/2: abc"), ok("GET /echo/3: ")].concat();
    assert_bytes(answer, expected);
}

#[test]
fn nothing_is_answered_behind_a_close() {
    let server = echo().start();
    for close in ["close", "Close", "keep-alive, close"] {
        let answer = server.answer(format!(
            "GET /echo/1 HTTP/1.1\r\nConnection: {close}\r\n\r\nGET /echo/2 HTTP/1.1\r\n\r\n"
        ));
        assert_bytes(answer, ok_and_close("GET /echo/1: "));
    }
}

#[test]
fn a_handler_that_says_close_closes() {
    let closing = Inline(|exchange: server::Exchange| {
        exchange.respond(response(200, "last").with("Connection", "close"));
    });
    let server = echo().route("/closing", closing).start();
    let answer = server.answer("GET /closing HTTP/1.1\r\n\r\nGET /echo HTTP/1.1\r\n\r\n");
    assert_bytes(
        answer,
        "HTTP/1.1 200 OK\r\nServer: S\r\nDate: D\r\nConnection: close\r\nContent-Length: 4\r\n\r\n\
         last",
    );
}

#[test]
fn http_1_0_closes_unless_asked_to_keep_alive() {
    let server = echo().start();
    let mut client = server.connect();
    client.send("GET /echo/1 HTTP/1.0\r\n\r\n");
    assert_bytes(client.receive_rest(), ok_and_close("GET /echo/1: "));

    let mut client = server.connect();
    client.send("GET /echo/1 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    client.expect(ok("GET /echo/1: "));
    client.send("GET /echo/2 HTTP/1.0\r\n\r\n");
    assert_bytes(client.receive_rest(), ok_and_close("GET /echo/2: "));
}

#[test]
fn a_minor_version_above_1_counts_as_1() {
    let server = echo().start();
    let answer = server.answer("GET /echo HTTP/1.9\r\n\r\nGET /echo HTTP/1.1\r\n\r\n");
    assert_bytes(answer, ok("GET /echo: ").repeat(2));
}

#[test]
fn head_has_the_length_and_no_content() {
    let server = echo().start();
    let answer = server.answer("HEAD /echo HTTP/1.1\r\n\r\nGET /echo HTTP/1.1\r\n\r\n");
    assert_bytes(answer, [ok_head("HEAD /echo: ".len(), false), ok("GET /echo: ")].concat());
}

#[test]
fn head_of_nothing_is_the_head_of_a_404() {
    let server = echo().start();
    let answer = server.answer("HEAD /nothing HTTP/1.1\r\n\r\nGET /echo HTTP/1.1\r\n\r\n");
    let whole = error(404, "Not Found", "", false);
    let length = r#"{"error": {"code": 404, "message": ""}}"#.len();
    let head = &whole[..whole.len() - length];
    assert_bytes(answer, [head, &ok("GET /echo: ")].concat());
}

#[test]
fn a_request_no_route_matches_is_404_and_the_connection_stays() {
    let server = echo().start();
    let answer = server
        .answer("PUT /nothing HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /echo HTTP/1.1\r\n\r\n");
    assert_bytes(answer, [error(404, "Not Found", "", false), ok("GET /echo: ")].concat());
}

#[test]
fn connect_is_answered_at_once_and_requests_follow() {
    let server = echo().start();
    let mut client = server.connect();
    client.send("CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n");
    let mut expected = b"HTTP/1.1 200 OK\r\nServer: S\r\nDate: D\r\n\r\n".to_vec();
    client.send("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
    client.end();
    expected.extend_from_slice(&ok("GET /echo: "));
    assert_bytes(client.receive_rest(), expected);
}

#[test]
fn expect_100_continue_is_answered_before_the_body_comes() {
    let server = echo().start();
    let mut client = server.connect();
    for value in ["100-continue", "100-Continue"] {
        client.send(format!("PUT /echo HTTP/1.1\r\nExpect: {value}\r\nContent-Length: 4\r\n\r\n"));
        client.expect("HTTP/1.1 100 Continue\r\n\r\n");
        client.send("body");
        client.expect(ok("PUT /echo: body"));
    }
    client.send("PUT /echo HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.expect("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("4\r\nbody\r\n0\r\n\r\n");
    client.expect(ok("PUT /echo: body"));
    client.end();
    assert_bytes(client.receive_rest(), "");
}

#[test]
fn expect_is_nothing_in_http_1_0() {
    let server = echo().start();
    let answer = server
        .answer("PUT /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody");
    assert_bytes(answer, ok_and_close("PUT /echo: body"));
}

#[test]
fn empty_lines_before_a_request_are_skipped() {
    let server = echo().start();
    let answer =
        server.answer("\r\n\nGET /echo/1 HTTP/1.1\r\n\r\n\r\n\r\nGET /echo/2 HTTP/1.1\r\n\r\n");
    assert_bytes(answer, [ok("GET /echo/1: "), ok("GET /echo/2: ")].concat());
}

#[test]
fn an_empty_line_behind_the_last_request_is_no_request() {
    let server = echo().start();
    let answer = server.answer("POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\nx\r\n");
    assert_bytes(answer, ok("POST /echo: x"));
}

#[test]
fn the_forms_of_a_target() {
    let server = echo().start();
    let path = |target: &str| server.answer(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_bytes(path("http://other/echo/a?b"), ok("GET /echo/a ?b: "));
    assert_bytes(path("//echo/a"), ok("GET /echo/a: "));
    assert_bytes(path("/echo/%41%2f%zz?%41"), ok("GET /echo/A/%zz ?%41: "));
    assert_bytes(path("/echo?"), ok("GET /echo ?: "));
    assert_bytes(path("/echo#f?q"), ok("GET /echo: "));
    let not_found = error(404, "Not Found", "", false);
    assert_bytes(path("*"), &not_found);
    assert_bytes(path("echo"), &not_found);
}
