//! Many clients, and clients that come and go.

use std::thread;

use server::Exchange;

use crate::{
    handlers::{Echo, Threaded, ok, response},
    harness::{Client, Setup, assert_bytes},
};

#[test]
fn clients_do_not_wait_for_one_another() {
    let server = Setup::new().route("/echo*", Echo).start();
    let mut clients: Vec<_> = (0..100).map(|_| server.connect()).collect();
    // Every head is incomplete while every other one is.
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(format!("GET /echo/{number} HTTP/1.1\r\n"));
    }
    for client in clients.iter_mut().rev() {
        client.send("\r\n");
    }
    for (number, client) in clients.iter_mut().enumerate() {
        client.expect(ok(format!("GET /echo/{number}: ")));
    }
}

#[test]
fn handlers_on_threads_answer_the_client_that_asked() {
    let threaded = Threaded(|exchange: Exchange| {
        let path = exchange.request.path().to_vec();
        exchange.respond(response(200, path));
    });
    let server = Setup::new().route("*", threaded).start();
    let address = server.address;
    let clients: Vec<_> = (0..8)
        .map(|number| {
            thread::spawn(move || {
                let mut client = Client::connect(address);
                for request in 0..100 {
                    client.send(format!("GET /{number}/{request} HTTP/1.1\r\n\r\n"));
                    client.expect(ok(format!("/{number}/{request}")));
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
}

#[test]
fn clients_that_leave_at_any_point_harm_nobody() {
    let server = Setup::new().route("/echo*", Echo).start();
    let message = b"POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
    for length in 0..=message.len() {
        let mut client = server.connect();
        client.send(&message[..length]);
    }
    assert_bytes(server.answer(message), ok("POST /echo: hello"));
}
