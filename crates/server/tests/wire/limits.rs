//! Bounds on time and size.

use std::{
    sync::{Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use server::{Exchange, Finish, Limits};

use crate::{
    handlers::{Echo, Inline, ok, ok_and_close, response},
    harness::{DEADLINE, Setup, assert_bytes, error, normalise},
};

const SHORT: Duration = Duration::from_millis(150);

#[test]
fn a_body_over_the_limit_is_refused_before_it_comes() {
    let limits = Limits { max_body: Some(4), ..Limits::default() };
    let server = Setup::new().route("/echo*", Echo).limits(limits).start();
    let reason = "Request Entity Too Large";

    let whole = "POST /echo HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd\
                 POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n";
    assert_bytes(server.answer(whole), ok("POST /echo: abcd").repeat(2));

    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    let message = "the body has 5 bytes, of at most 4 (--max-body)";
    assert_bytes(client.receive_rest(), error(413, reason, message, true));

    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde");
    let message = "the body has more than 4 bytes (--max-body)";
    assert_bytes(client.receive_rest(), error(413, reason, message, true));
}

#[test]
fn a_head_that_stops_arriving_is_408() {
    let limits = Limits { head_timeout: SHORT, ..Limits::default() };
    let server = Setup::new().limits(limits).start();
    let mut client = server.connect();
    let started = Instant::now();
    client.send("GET / HTTP/1.1\r\nA: ");
    let message = "the request's head did not arrive in time";
    assert_bytes(client.receive_rest(), error(408, "Request Timeout", message, true));
    assert!(started.elapsed() >= SHORT);
}

#[test]
fn a_head_that_arrives_drop_by_drop_is_408_too() {
    let limits = Limits { head_timeout: 2 * SHORT, ..Limits::default() };
    let server = Setup::new().limits(limits).start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nA: ");
    let started = Instant::now();
    let message = "the request's head did not arrive in time";
    let first = loop {
        assert!(started.elapsed() < DEADLINE, "the head may take for ever");
        client.send("a");
        // Also the pause between two drops.
        let first = client.receive_until(1, SHORT / 3);
        if !first.is_empty() {
            break first;
        }
    };
    let answer = [first, client.receive_raw()].concat();
    assert_bytes(normalise(&answer), error(408, "Request Timeout", message, true));
}

#[test]
fn an_idle_connection_closes_with_nothing() {
    let limits = Limits { idle_timeout: SHORT, ..Limits::default() };
    let server = Setup::new().route("/echo", Echo).limits(limits).start();
    let mut client = server.connect();
    let started = Instant::now();
    assert_bytes(client.receive_rest(), "");
    assert!(started.elapsed() >= SHORT);

    let mut client = server.connect();
    client.send("GET /echo HTTP/1.1\r\n\r\n");
    client.expect(ok("GET /echo: "));
    let started = Instant::now();
    assert_bytes(client.receive_rest(), "");
    // The server's clock starts a little earlier.
    assert!(started.elapsed() >= SHORT / 2);
}

#[test]
fn a_chunked_body_that_stops_arriving_is_408() {
    let limits = Limits { idle_timeout: SHORT, ..Limits::default() };
    let server = Setup::new().route("/echo", Echo).limits(limits).start();
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab");
    let message = "the body did not arrive in time";
    assert_bytes(client.receive_rest(), error(408, "Request Timeout", message, true));
}

#[test]
fn a_length_body_that_stops_arriving_is_not_waited_for_for_ever() {
    let limits = Limits { idle_timeout: SHORT, ..Limits::default() };
    let deaf = Inline(|exchange: Exchange| exchange.respond(response(200, "deaf")));
    let server = Setup::new().route("/deaf", deaf).limits(limits).start();
    let mut client = server.connect();
    client.send("POST /deaf HTTP/1.1\r\nContent-Length: 3\r\n\r\nab");
    client.expect(ok("deaf"));
    assert_bytes(client.receive_rest(), "");
}

#[test]
fn a_handler_that_says_nothing_in_time_is_504() {
    let (exchanges, kept) = mpsc::channel();
    let exchanges = Mutex::new(exchanges);
    let silent =
        Inline(move |exchange: Exchange| exchanges.lock().unwrap().send(exchange).unwrap());
    let limits = Limits { handler_timeout: Some(SHORT), ..Limits::default() };
    let server = Setup::new().route("/", silent).limits(limits).start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    let message = "the handler did not finish within 0.15 s";
    assert_bytes(client.receive_rest(), error(504, "Gateway Timeout", message, true));
    let exchange = kept.recv_timeout(DEADLINE).unwrap();
    assert!(exchange.writer.is_peer_gone());
    // The second request was not even begun.
    assert!(kept.try_recv().is_err());
}

#[test]
fn a_handler_that_stops_halfway_is_cut_off() {
    let (exchanges, kept) = mpsc::channel();
    let exchanges = Mutex::new(exchanges);
    let halting = Inline(move |exchange: Exchange| {
        assert!(exchange.writer.try_send(Bytes::from("HTTP/1.1 200 OK\r\n\r\nhalf")).is_ok());
        exchanges.lock().unwrap().send(exchange).unwrap();
    });
    let limits = Limits { handler_timeout: Some(SHORT), ..Limits::default() };
    let server = Setup::new().route("/", halting).limits(limits).start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\n\r\n");
    assert_bytes(client.receive_rest(), "HTTP/1.1 200 OK\r\n\r\nhalf");
    assert!(kept.recv_timeout(DEADLINE).unwrap().writer.is_peer_gone());
}

#[test]
fn a_slow_client_is_no_slow_handler() {
    let limits = Limits { handler_timeout: Some(SHORT), ..Limits::default() };
    let content = vec![b'x'; 16 * 1024 * 1024];
    let whole = content.clone();
    let prompt = Inline(move |exchange: Exchange| exchange.respond(response(200, whole.clone())));
    let server = Setup::new().route("/", prompt).limits(limits).start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    // Longer than the handler may take. The buffers of the system hold less than the content.
    thread::sleep(2 * SHORT);
    assert_bytes(client.receive_rest(), ok_and_close(content));
}

#[test]
fn a_slow_upload_is_no_slow_handler() {
    let limits = Limits { handler_timeout: Some(SHORT), ..Limits::default() };
    let deaf = Inline(|exchange: Exchange| exchange.respond(response(200, "deaf")));
    let server = Setup::new().route("/deaf", deaf).route("/echo", Echo).limits(limits).start();
    let mut client = server.connect();
    client.send("POST /deaf HTTP/1.1\r\nContent-Length: 3\r\n\r\nab");
    client.expect(ok("deaf"));
    thread::sleep(2 * SHORT);
    client.send("cGET /echo HTTP/1.1\r\n\r\n");
    client.end();
    assert_bytes(client.receive_rest(), ok("GET /echo: "));
}

#[test]
fn a_handler_in_time_is_left_alone() {
    let limits = Limits { handler_timeout: Some(DEADLINE), ..Limits::default() };
    let raw = Inline(|exchange: Exchange| {
        let mut writer = exchange.writer;
        writer.finish("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into(), Finish::KeepAlive);
    });
    let server = Setup::new().route("/", raw).limits(limits).start();
    let answer = server.answer("GET / HTTP/1.1\r\n\r\n".repeat(2));
    assert_bytes(answer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".repeat(2));
}
