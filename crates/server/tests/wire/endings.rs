//! How responses and connections end: in pieces, aborted, dropped, lingering.

use std::{
    sync::{Mutex, mpsc},
    thread,
};

use bytes::Bytes;
use server::{Exchange, Finish, Wakes};

use crate::{
    handlers::{Echo, Inline, Threaded, ok, ok_and_close, response},
    harness::{DEADLINE, Setup, assert_bytes, error},
};

#[test]
fn a_response_in_pieces_from_another_thread() {
    let pieces = Threaded(|exchange: Exchange| {
        let mut writer = exchange.writer;
        for piece in ["HTTP/1.1 2", "00 OK\r\nContent-", "Length: 4\r\n\r", "\nab", ""] {
            writer.send(Bytes::from(piece)).unwrap();
        }
        writer.finish("cd".into(), Finish::KeepAlive);
    });
    let server = Setup::new().route("/pieces", pieces).start();
    let answer = server.answer("GET /pieces HTTP/1.1\r\n\r\n".repeat(3));
    assert_bytes(answer, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd".repeat(3));
}

#[test]
fn what_a_handler_sends_is_with_the_client_before_it_ends() {
    let (go, gone) = mpsc::channel();
    let gone = Mutex::new(gone);
    let waiting = Inline(move |exchange: Exchange| {
        let mut writer = exchange.writer;
        assert!(writer.try_send(Bytes::from("first")).is_ok());
        let gone = std::mem::replace(&mut *gone.lock().unwrap(), mpsc::channel().1);
        thread::spawn(move || {
            gone.recv_timeout(DEADLINE).unwrap();
            writer.finish("last".into(), Finish::Close);
        });
    });
    let server = Setup::new().route("/", waiting).start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\n\r\n");
    client.expect("first");
    go.send(()).unwrap();
    assert_bytes(client.receive_rest(), "last");
}

#[test]
fn a_thread_that_defers_its_wakes_is_heard_when_it_flushes() {
    let deferring = Threaded(|exchange: Exchange| {
        Wakes::defer_on_this_thread();
        let Exchange { request, mut writer } = exchange;
        writer.respond(response(200, "deferred"));
        request.environment.wakes.flush();
    });
    let server = Setup::new().route("/", deferring).start();
    assert_bytes(server.answer("GET / HTTP/1.1\r\n\r\n".repeat(5)), ok("deferred").repeat(5));
}

#[test]
fn a_dropped_exchange_closes_with_nothing() {
    let dropping = Inline(drop::<Exchange>);
    let later = Threaded(drop::<Exchange>);
    let server = Setup::new().route("/dropped", dropping).route("/later", later).start();
    for path in ["/dropped", "/later"] {
        let mut client = server.connect();
        client.send(format!("GET {path} HTTP/1.1\r\n\r\n").repeat(2));
        assert_bytes(client.receive_rest(), "");
    }
}

#[test]
fn a_handler_that_panics_closes_its_connection_only() {
    let panicking = Threaded(|exchange: Exchange| {
        exchange.writer.send(Bytes::from("half")).unwrap();
        // Not a panic!, which would print a message.
        std::panic::resume_unwind(Box::new(exchange.writer));
    });
    let server = Setup::new().route("/panic", panicking).route("/echo", Echo).start();
    let mut other = server.connect();
    let mut client = server.connect();
    client.send("GET /panic HTTP/1.1\r\n\r\n");
    assert_bytes(client.receive_until_reset(), "half");
    other.send("GET /echo HTTP/1.1\r\n\r\n");
    other.expect(ok("GET /echo: "));
}

#[test]
fn an_abort_delivers_what_was_written_and_resets() {
    let aborting = Threaded(|exchange: Exchange| {
        let mut writer = exchange.writer;
        writer.send(Bytes::from("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")).unwrap();
        writer.finish("half".into(), Finish::Abort);
    });
    let server = Setup::new().route("/", aborting).start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\n\r\n".repeat(2));
    assert_bytes(client.receive_until_reset(), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
}

#[test]
fn raw_bytes_that_close() {
    let raw = Inline(|exchange: Exchange| {
        let mut writer = exchange.writer;
        writer.finish("anything\n".into(), Finish::Close);
    });
    let server = Setup::new().route("/", raw).start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\n\r\n".repeat(2));
    assert_bytes(client.receive_rest(), "anything\n");
}

#[test]
fn raw_bytes_on_a_connection_that_the_client_closes() {
    let raw = Inline(|exchange: Exchange| {
        let mut writer = exchange.writer;
        writer.finish("anything\n".into(), Finish::KeepAlive);
    });
    let server = Setup::new().route("/", raw).start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert_bytes(client.receive_rest(), "anything\n");
}

#[test]
fn what_a_handler_sends_behind_its_end_is_refused() {
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let ended = Inline(move |exchange: Exchange| {
        let mut writer = exchange.writer;
        writer.finish("end".into(), Finish::KeepAlive);
        let sent = writer.try_send(Bytes::from("more"));
        tell.lock().unwrap().send(format!("{sent:?}")).unwrap();
    });
    let server = Setup::new().route("/", ended).start();
    assert_bytes(server.answer("GET / HTTP/1.1\r\n\r\n"), "end");
    assert_eq!(told.recv_timeout(DEADLINE), Ok("Err(PeerGone)".to_owned()));
}

#[test]
fn a_writer_ahead_of_its_client_waits_and_loses_nothing() {
    let block = |number: u8| Bytes::from(vec![number; 64 * 1024]);
    let streaming = Threaded(move |exchange: Exchange| {
        let mut writer = exchange.writer;
        for number in 0..=255 {
            writer.send(block(number)).unwrap();
        }
        writer.finish("end".into(), Finish::Close);
    });
    let server = Setup::new().route("/", streaming).start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\n\r\n");
    server.settle();
    let mut expected: Vec<u8> = (0..=255).flat_map(block).collect();
    expected.extend_from_slice(b"end");
    assert_bytes(client.receive_raw(), expected);
}

#[test]
fn a_handler_learns_that_its_client_left() {
    let (tell, told) = mpsc::channel();
    let endless = Threaded(move |exchange: Exchange| {
        while exchange.writer.send(Bytes::from(vec![b'x'; 4096])).is_ok() {}
        tell.send(exchange.writer.is_peer_gone()).unwrap();
    });
    let server = Setup::new().route("/", endless).start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\n\r\n");
    client.expect(vec![b'x'; 4096]);
    drop(client);
    assert_eq!(told.recv_timeout(DEADLINE), Ok(true));
}

/// Much more than the socket's buffers hold.
const MUCH: usize = 8 * 1024 * 1024;

#[test]
fn a_client_that_sends_on_reads_the_last_bytes_of_a_close() {
    let closing = Inline(|exchange: Exchange| {
        exchange.respond(response(200, "enough").with("connection", "close"));
    });
    let server = Setup::new().route("/", closing).start();
    let mut client = server.connect();
    client.send(format!("POST / HTTP/1.1\r\nContent-Length: {MUCH}\r\n\r\n"));
    client.send(vec![b'x'; MUCH]);
    client.end();
    assert_bytes(
        client.receive_rest(),
        "HTTP/1.1 200 OK\r\nServer: S\r\nDate: D\r\nconnection: close\r\nContent-Length: 6\r\n\r\n\
         enough",
    );
}

#[test]
fn a_client_that_sends_on_reads_why_it_was_refused() {
    let server = Setup::new().start();
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nContent-Length: much\r\n\r\n");
    client.send(vec![b'x'; MUCH]);
    client.end();
    assert_bytes(client.receive_rest(), error(400, "Bad Request", "Bad Content-Length", true));
}

#[test]
fn a_client_that_sends_on_after_http_1_0_reads_its_answer() {
    let server = Setup::new().route("/echo", Echo).start();
    let mut client = server.connect();
    client.send("GET /echo HTTP/1.0\r\n\r\n");
    client.send(vec![b'x'; MUCH]);
    client.end();
    assert_bytes(client.receive_rest(), ok_and_close("GET /echo: "));
}
