//! Connections that handlers make their own.

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use server::{Exchange, Finish, Limits};

use crate::{
    handlers::{Threaded, response},
    harness::{DEADLINE, Setup, assert_bytes},
};

const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\n\r\n";

/// Sends back what comes, in upper case, until the client ends.
fn shout(exchange: Exchange) {
    let mut writer = exchange.writer;
    let inbox = writer.take_over();
    writer.send(Bytes::from(SWITCHED)).unwrap();
    loop {
        let bytes = inbox.read(1000, Some(DEADLINE)).expect("the client is silent");
        if bytes.is_empty() {
            break;
        }
        writer.send(Bytes::from(bytes.to_ascii_uppercase())).unwrap();
    }
    writer.finish("bye".into(), Finish::KeepAlive);
}

#[test]
fn a_taken_over_connection_speaks_anything() {
    let server = Setup::new().route("/", Threaded(shout)).start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n");
    client.expect(SWITCHED);
    for (sent, received) in [("a", "A"), ("GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n")] {
        client.send(sent);
        client.expect(received);
    }
    client.end();
    assert_bytes(client.receive_rest(), "bye");
}

#[test]
fn what_came_behind_the_head_is_the_handlers() {
    let server = Setup::new().route("/", Threaded(shout)).start();
    let answer = server.answer("GET / HTTP/1.1\r\n\r\nearly bytes");
    assert_bytes(answer, format!("{SWITCHED}EARLY BYTESbye"));
}

#[test]
fn what_came_behind_the_body_is_the_handlers() {
    let server = Setup::new().route("/", Threaded(shout)).start();
    let answer = server.answer("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbodymore");
    assert_bytes(answer, format!("{SWITCHED}MOREbye"));
}

#[test]
fn much_in_both_directions() {
    let server = Setup::new().route("/", Threaded(shout)).start();
    let mut client = server.connect();
    let mut sender = client.sender();
    let much: Vec<u8> = b"abcdefghijklmnopqrstuvwxyz-0123456789\n".repeat(50_000);
    let sent = much.clone();
    let sending = std::thread::spawn(move || {
        sender.send("GET / HTTP/1.1\r\n\r\n");
        sender.send(sent);
        sender.end();
    });
    let expected = [SWITCHED.as_bytes(), &much.to_ascii_uppercase(), b"bye"].concat();
    assert_bytes(client.receive_raw(), expected);
    sending.join().unwrap();
}

#[test]
fn a_connection_that_was_taken_over_closes() {
    let brief = Threaded(|mut exchange: Exchange| {
        exchange.writer.take_over();
        exchange.writer.respond(response(200, "brief"));
    });
    let server = Setup::new().route("/", brief).start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\n\r\n".repeat(2));
    let answer = client.receive_rest();
    assert_bytes(
        answer,
        "HTTP/1.1 200 OK\r\nServer: S\r\nDate: D\r\nContent-Length: 5\r\n\r\nbrief",
    );
}

#[test]
fn a_silent_client_is_a_read_that_times_out() {
    let impatient = Threaded(|exchange: Exchange| {
        let mut writer = exchange.writer;
        let inbox = writer.take_over();
        let read = inbox.read(10, Some(Duration::from_millis(20)));
        writer.finish(format!("{read:?}").into(), Finish::Close);
    });
    let server = Setup::new().route("/", impatient).start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\n\r\n");
    assert_bytes(client.receive_rest(), "None");
}

#[test]
fn a_connection_taken_over_behind_a_body_cut_short_is_at_its_end() {
    let late = Threaded(|exchange: Exchange| {
        let Exchange { request, mut writer } = exchange;
        let body = request.body.read_at(0, 6).map_err(|error| error.to_string());
        let read = writer.take_over().read(10, Some(DEADLINE / 5));
        writer.finish(format!("{body:?} {read:?}").into(), Finish::Close);
    });
    let server = Setup::new().route("/", late).start();
    let answer = server.answer("POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc");
    assert_bytes(answer, r#"Err("the body ended after 3 of 6 bytes") Some(b"")"#);
}

#[test]
fn a_connection_taken_over_after_its_client_left_is_at_its_end() {
    let (tell, told) = mpsc::channel();
    let late = Threaded(move |exchange: Exchange| {
        let deadline = Instant::now() + DEADLINE;
        while !exchange.writer.is_peer_gone() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        let read = exchange.writer.take_over().read(10, Some(DEADLINE / 5));
        tell.send(read).unwrap();
    });
    let limits = Limits { handler_timeout: Some(Duration::from_millis(50)), ..Limits::default() };
    let server = Setup::new().route("/", late).limits(limits).start();
    server.answer("GET / HTTP/1.1\r\n\r\n");
    assert_eq!(told.recv_timeout(DEADLINE), Ok(Some(Bytes::new())));
}
