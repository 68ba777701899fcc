//! Request bodies, in one piece, in two, and larger than memory is used for.

use std::thread;

use bytes::Bytes;
use server::{Exchange, Finish};

use crate::{
    handlers::{Echo, Inline, Threaded, ok, ok_and_close, response},
    harness::{Setup, assert_bytes},
};

/// Sends `message` in two writes, cut at every position, and expects the same answer.
fn every_split(message: &[u8], expected: &[u8]) {
    let server = Setup::new().route("/echo*", Echo).start();
    for at in 0..=message.len() {
        let mut client = server.connect();
        client.send(&message[..at]);
        server.settle();
        client.send(&message[at..]);
        client.end();
        let received = client.receive_rest();
        assert!(received == expected, "cut at {at}: {}", received.escape_ascii());
    }
}

#[test]
fn a_length_body_may_be_cut_anywhere() {
    every_split(
        b"POST /echo?q HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello\
          GET /echo HTTP/1.1\r\n\r\n",
        &[ok("POST /echo ?q: hello"), ok("GET /echo: ")].concat(),
    );
}

#[test]
fn a_chunked_body_may_be_cut_anywhere() {
    every_split(
        b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
          3;x=\"y\"\r\nhel\r\n2\r\nlo\r\n0\r\nA: b\r\n\r\nGET /echo HTTP/1.1\r\n\r\n",
        &[ok("POST /echo: hello"), ok("GET /echo: ")].concat(),
    );
}

#[test]
fn a_message_may_come_byte_by_byte() {
    let server = Setup::new().route("/echo*", Echo).start();
    let mut client = server.connect();
    let message = b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n\
        POST /echo HTTP/1.1\r\nContent-Length: 2\r\n\r\ncd";
    for byte in message {
        client.send([*byte]);
        server.settle();
    }
    client.end();
    assert_bytes(client.receive_rest(), [ok("POST /echo: ab"), ok("POST /echo: cd")].concat());
}

#[test]
fn bodies_of_no_bytes() {
    let server = Setup::new().route("/echo*", Echo).start();
    let answer = server.answer(
        "POST /echo/1 HTTP/1.1\r\nContent-Length: 0\r\n\r\n\
         POST /echo/2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
         POST /echo/3 HTTP/1.1\r\n\r\n",
    );
    let expected = [ok("POST /echo/1: "), ok("POST /echo/2: "), ok("POST /echo/3: ")].concat();
    assert_bytes(answer, expected);
}

/// More than stays in memory.
fn large() -> Vec<u8> {
    (0..5 * 1024 * 1024_u32)
        .map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect()
}

/// Sends from a thread, since the server answers while it receives.
fn large_exchange(head: &str, body: Vec<u8>, expected: &[u8]) {
    let server = Setup::new().route("/echo*", Echo).start();
    let mut client = server.connect();
    let mut sender = client.sender();
    let head = head.to_owned();
    let sending = thread::spawn(move || {
        sender.send(head);
        sender.send(body);
        sender.send("GET /echo HTTP/1.1\r\n\r\n");
        sender.end();
    });
    assert_bytes(client.receive_rest(), [expected, &ok("GET /echo: ")].concat());
    sending.join().unwrap();
}

#[test]
fn a_large_length_body_comes_back_whole() {
    let body = large();
    let head = format!("POST /echo HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
    let expected = ok([b"POST /echo: ", &body[..]].concat());
    large_exchange(&head, body, &expected);
}

#[test]
fn a_large_chunked_body_comes_back_whole() {
    let body = large();
    let expected = ok([b"POST /echo: ", &body[..]].concat());
    let mut chunked = Vec::new();
    for chunk in body.chunks(77_777) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    large_exchange("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", chunked, &expected);
}

#[test]
fn a_handler_reads_a_body_while_it_arrives() {
    let piecewise = Threaded(|exchange: Exchange| {
        let Exchange { request, mut writer } = exchange;
        writer.send(Bytes::from("HTTP/1.1 200 OK\r\n\r\n")).unwrap();
        for position in 0..3 {
            let byte = request.body.read_at(position, 1).unwrap();
            writer.send(byte).unwrap();
        }
        writer.finish(".".into(), Finish::Close);
    });
    let server = Setup::new().route("/", piecewise).start();
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n");
    client.expect("HTTP/1.1 200 OK\r\n\r\n");
    for byte in ["a", "b", "c"] {
        client.send(byte);
        client.expect(byte);
    }
    assert_bytes(client.receive_rest(), ".");
}

#[test]
fn a_body_that_nobody_reads_is_skipped() {
    let deaf = Inline(|exchange: Exchange| exchange.respond(response(200, "deaf")));
    let server = Setup::new().route("/echo", Echo).route("/deaf", deaf).start();
    let mut client = server.connect();
    client.send("POST /deaf HTTP/1.1\r\nContent-Length: 20\r\n\r\nGET /echo ");
    client.expect(ok("deaf"));
    client.send("HTTP/1.1\r\nGET /echo HTTP/1.1\r\n\r\n");
    client.end();
    assert_bytes(client.receive_rest(), ok("GET /echo: "));
}

#[test]
fn a_client_that_leaves_within_a_body_is_told_and_closed() {
    let server = Setup::new().route("/echo", Echo).start();
    let answer = server.answer("POST /echo HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc");
    let text = "the body ended after 3 of 6 bytes";
    let expected = String::from_utf8(ok_and_close(text)).unwrap();
    assert_bytes(answer, expected.replace("200 OK", "500 Internal Server Error"));
}
