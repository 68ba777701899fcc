//! The DNS server over both protocols, in bytes.

use std::net::UdpSocket;

use server::{Config, Scheme};

use super::harness::{Client, DEADLINE, Running, Setup, assert_bytes};

fn start() -> Running {
    let config = Config {
        browser_host: "web.test".to_owned(),
        subdomains: vec!["www".to_owned()],
        not_subdomains: vec!["no".to_owned()],
        ..Config::default()
    };
    Setup::new().config(&config, &[Scheme::Dns, Scheme::Http]).start()
}

/// A query for an address: the header, the question.
fn query(name: &str) -> Vec<u8> {
    let mut bytes = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.bytes());
    }
    bytes.extend([0, 0, 1, 0, 1]);
    bytes
}

/// The response to it: the address as a record of the name at byte 12.
fn response(name: &str) -> Vec<u8> {
    let mut bytes = query(name);
    bytes[2..8].copy_from_slice(&[0x85, 0x80, 0, 1, 0, 1]);
    bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 127, 0, 0, 1]);
    bytes
}

fn ask(server: &Running, packet: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.send_to(packet, server.address).unwrap();
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer).unwrap();
    answer[..length].to_vec()
}

#[test]
fn datagrams() {
    let server = start();
    assert_bytes(ask(&server, &query("wWw.web.test")), response("wWw.web.test"));
    for missing in ["no.web.test", "example.com"] {
        let answer = ask(&server, &query(missing));
        assert_eq!(answer[..4], [0xab, 0xcd, 0x85, 0x83], "{missing}");
    }
    assert_bytes(ask(&server, &query("web.test")[..14]), b"\xab\xcd\x81\x01\0\0\0\0\0\0\0\0");
}

#[test]
fn what_is_dropped_disturbs_nobody() {
    let server = start();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(b"", server.address).unwrap();
    socket.send_to(b"short", server.address).unwrap();
    socket.send_to(&response("web.test"), server.address).unwrap();
    socket.send_to(&[0; 4096], server.address).unwrap();
    assert_bytes(ask(&server, &query("web.test")), response("web.test"));
}

#[test]
fn connections() {
    let server = start();
    let framed =
        |bytes: Vec<u8>| [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), &*bytes].concat();
    let mut client = Client::connect(server.address);
    // Two at once, the second in parts.
    let second = framed(query("www.web.test"));
    client.send([framed(query("web.test")), second[..5].to_vec()].concat());
    client.expect(framed(response("web.test")));
    client.send(&second[5..]);
    client.expect(framed(response("www.web.test")));
    client.end();
    assert_bytes(client.receive_raw(), "");

    let mut client = Client::connect(server.address);
    client.send(framed(response("web.test")));
    assert_bytes(client.receive_raw(), "");
}
