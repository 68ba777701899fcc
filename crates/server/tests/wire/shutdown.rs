//! Stopping.

use std::{
    net::TcpStream,
    sync::{Mutex, mpsc},
    thread,
    time::Instant,
};

use bytes::Bytes;
use server::{Exchange, Finish, GRACE};

use crate::{
    handlers::{Echo, Inline, Threaded, ok},
    harness::{DEADLINE, Running, Setup, assert_bytes},
};

/// A server whose `/held` begins a response and hands its exchange to the test.
fn holding() -> (Running, mpsc::Receiver<Exchange>) {
    let (exchanges, held) = mpsc::channel();
    let exchanges = Mutex::new(exchanges);
    let holding = Inline(move |exchange: Exchange| {
        assert!(exchange.writer.try_send(Bytes::from("begun, ")).is_ok());
        exchanges.lock().unwrap().send(exchange).unwrap();
    });
    (Setup::new().route("/held", holding).route("/echo", Echo).start(), held)
}

#[test]
fn idle_connections_end_and_a_running_response_ends_by_itself() {
    let (mut server, held) = holding();
    let mut running = server.connect();
    running.send("GET /held HTTP/1.1\r\n\r\n");
    running.expect("begun, ");
    let mut exchange = held.recv_timeout(DEADLINE).unwrap();
    let mut silent = server.connect();
    let mut kept = server.connect();
    kept.send("GET /echo HTTP/1.1\r\n\r\n");
    kept.expect(ok("GET /echo: "));
    server.settle();

    server.stop();
    assert_bytes(silent.receive_raw(), "");
    assert_bytes(kept.receive_raw(), "");
    exchange.writer.finish("ended".into(), Finish::KeepAlive);
    assert_bytes(running.receive_raw(), "ended");
    server.join();
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn a_response_that_goes_on_is_left_behind_after_the_grace() {
    let (mut server, held) = holding();
    let mut running = server.connect();
    running.send("GET /held HTTP/1.1\r\n\r\n");
    running.expect("begun, ");
    let exchange = held.recv_timeout(DEADLINE).unwrap();
    let started = Instant::now();
    server.stop();
    assert_bytes(running.receive_raw(), "");
    server.join();
    assert!(started.elapsed() >= GRACE);
    drop(exchange);
}

#[test]
fn with_no_connection_the_stop_is_at_once() {
    let mut server = Setup::new().start();
    server.stop();
    server.join();
}

#[test]
fn a_handler_that_is_left_behind_does_not_wait_for_ever() {
    let (tell, told) = mpsc::channel();
    let reading = {
        let tell = tell.clone();
        Threaded(move |exchange: Exchange| {
            let read = exchange.request.body.read_at(0, 6);
            tell.send(format!("body {}", read.is_err())).unwrap();
        })
    };
    let taking = {
        let tell = tell.clone();
        Threaded(move |exchange: Exchange| {
            let read = exchange.writer.take_over().read(10, None);
            tell.send(format!("inbox {read:?}")).unwrap();
        })
    };
    let writing = Threaded(move |exchange: Exchange| {
        while exchange.writer.send(Bytes::from(vec![b'x'; 4096])).is_ok() {}
        tell.send("writer".to_owned()).unwrap();
    });
    let mut server = Setup::new()
        .route("/reading", reading)
        .route("/taking", taking)
        .route("/writing", writing)
        .start();
    let clients: Vec<_> = ["reading", "taking", "writing"]
        .iter()
        .map(|path| {
            let mut client = server.connect();
            client.send(format!("POST /{path} HTTP/1.1\r\nContent-Length: 6\r\n\r\n"));
            client
        })
        .collect();
    server.settle();
    server.stop();
    server.join();
    let mut heard: Vec<String> = Vec::new();
    for _ in 0..3 {
        heard.extend(told.recv_timeout(DEADLINE / 5).ok());
    }
    heard.sort();
    assert_eq!(heard, ["body true", r#"inbox Some(b"")"#, "writer"]);
    drop(clients);
}

#[test]
fn requests_that_are_running_on_many_connections_all_end() {
    let (mut server, held) = holding();
    let mut clients: Vec<_> = (0..20)
        .map(|_| {
            let mut client = server.connect();
            client.send("GET /held HTTP/1.1\r\n\r\n");
            client.expect("begun, ");
            client
        })
        .collect();
    let exchanges: Vec<_> = held.try_iter().collect();
    assert_eq!(exchanges.len(), 20);
    server.stop();
    for exchange in exchanges {
        thread::spawn(move || {
            let mut writer = exchange.writer;
            writer.finish("ended".into(), Finish::KeepAlive);
        });
    }
    for client in &mut clients {
        assert_bytes(client.receive_raw(), "ended");
    }
    server.join();
}
