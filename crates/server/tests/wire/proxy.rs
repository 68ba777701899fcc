//! The server as the proxy of a browser: the PAC file, targets in absolute form, tunnels.

use server::{
    Config, Exchange, Handler, Response, Scheme,
    pac::{PAC_PATH, PacHandler},
};

use super::harness::{Running, Setup, assert_bytes};

/// Says what it was asked for, and on which port.
struct Echo;

impl Handler for Echo {
    fn handle(&self, exchange: Exchange) {
        let request = &exchange.request;
        let port = request.connection.local.port();
        let text = format!("{} {port}", String::from_utf8_lossy(&request.url()));
        exchange.respond(Response::new(200, text));
    }
}

fn start() -> Running {
    let config = Config { browser_host: "web.test".to_owned(), ..Config::default() };
    Setup::new()
        .route(PAC_PATH, PacHandler)
        .route("*", Echo)
        .config(&config, &[Scheme::Http, Scheme::HttpPublic])
        .start()
}

fn body(answer: &[u8]) -> String {
    let text = String::from_utf8(answer.to_vec()).unwrap();
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn the_file_is_of_its_type() {
    let server = start();
    let answer = server.answer(format!("GET {PAC_PATH} HTTP/1.1\r\nHost: x\r\n\r\n"));
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ns-proxy-autoconfig\r\n\
                Cache-Control: no-store\r\n";
    assert!(answer.starts_with(head.as_bytes()), "{}", answer.escape_ascii());
    let body = body(&answer);
    assert!(body.contains("\"web.test\": 1") && body.contains("function FindProxyForURL("));
}

#[test]
fn requests_to_a_proxy_are_requests_to_the_host() {
    let server = start();
    let answer = server.answer("GET http://web.test:81/x?y HTTP/1.1\r\nHost: web.test:81\r\n\r\n");
    let port = server.address.port();
    assert_eq!(body(&answer), format!("http://web.test:81/x?y {port}"));
}

#[test]
fn a_tunnel_leads_to_another_of_the_ports() {
    let server = start();
    let other = server.addresses[1].port();
    let mut client = server.connect();
    // The client need not wait for the answer.
    client.send(format!(
        "CONNECT web.test:{other} HTTP/1.1\r\nHost: web.test:{other}\r\n\r\n\
         GET /x HTTP/1.1\r\nHost: web.test:{other}\r\n\r\n"
    ));
    client.expect("HTTP/1.1 200 OK\r\n\r\n");
    client.end();
    let answer = client.receive_rest();
    assert_eq!(body(&answer), format!("http://web.test:{other}/x {other}"));
}

#[test]
fn no_tunnel_leads_elsewhere() {
    let server = start();
    let port = server.address.port();
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let foreign = elsewhere.local_addr().unwrap().port();
    for target in [port, foreign] {
        let answer =
            server.answer(format!("CONNECT 127.0.0.1:{target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        // As in the reference: the connection is its own proxy.
        assert_bytes(&answer[..17], "HTTP/1.1 200 OK\r\n");
    }
    elsewhere.set_nonblocking(true).unwrap();
    assert_eq!(elsewhere.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

fn start_proxy() -> Running {
    let config = Config {
        browser_host: "web.test".to_owned(),
        subdomains: vec!["www".to_owned()],
        not_subdomains: vec!["nonexistent".to_owned()],
        ..Config::default()
    };
    Setup::new()
        .route("*", Echo)
        .config(&config, &[Scheme::Http, Scheme::HttpPublic, Scheme::Ws])
        .proxy()
        .websocket(Handshake)
        .start()
}

/// Says that it has been asked.
struct Handshake;

impl Handler for Handshake {
    fn handle(&self, exchange: Exchange) {
        let text = format!("handshake {}", String::from_utf8_lossy(&exchange.request.url()));
        exchange.respond(Response::new(200, text));
    }
}

fn status(answer: &[u8]) -> &str {
    std::str::from_utf8(&answer[9..12]).unwrap()
}

#[test]
fn a_proxy_for_its_names_leads_to_no_other_host_or_port() {
    let server = start_proxy();
    let (own, public) = (server.address.port(), server.addresses[1].port());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (request, expected) in [
        (format!("GET http://web.test:{own}/"), "200"),
        (format!("GET http://WWW.web.test.:{public}/"), "200"),
        (format!("GET http://127.0.0.1:{own}/"), "200"),
        (format!("GET http://localhost:{own}/"), "200"),
        ("GET /".to_owned(), "200"),
        ("OPTIONS *".to_owned(), "404"),
        (format!("CONNECT web.test:{own}"), "200"),
        (format!("CONNECT web.test:{public}"), "200"),
        ("GET http://example.com/".to_owned(), "502"),
        (format!("GET http://example.com:{own}/"), "502"),
        (format!("GET http://nonexistent.web.test:{own}/"), "502"),
        (format!("GET http://a.nonexistent.web.test:{own}/"), "502"),
        (format!("GET http://xweb.test:{own}/"), "502"),
        (format!("GET http://192.0.2.1:{own}/"), "502"),
        ("GET http://web.test/".to_owned(), "502"),
        (format!("GET http://web.test:{closed}/"), "502"),
        ("GET http://web.test:x/".to_owned(), "502"),
        (format!("CONNECT example.com:{public}"), "502"),
        (format!("CONNECT nonexistent.web.test:{public}"), "502"),
        (format!("CONNECT web.test:{closed}"), "502"),
        ("CONNECT web.test".to_owned(), "502"),
    ] {
        let mut client = server.connect();
        client.send(format!("{request} HTTP/1.1\r\nHost: web.test\r\n\r\n"));
        client.end();
        assert_eq!(status(&client.receive_rest()), expected, "{request}");
    }
}

#[test]
fn a_handshake_for_a_port_of_ws_is_served_where_it_comes_to_the_proxy() {
    let server = start_proxy();
    let (own, ws) = (server.address.port(), server.addresses[2].port());
    for (scheme, port, fields, expected) in [
        ("ws", ws, "Connection: Upgrade\r\nUpgrade: websocket\r\n", "handshake ws://web.test"),
        ("http", ws, "Connection: Upgrade\r\nUpgrade: WebSocket\r\n", "handshake http://web.test"),
        ("http", own, "Connection: Upgrade\r\nUpgrade: websocket\r\n", "http://web.test"),
        ("http", ws, "", "http://web.test"),
    ] {
        let mut client = server.connect();
        let target = format!("{scheme}://web.test:{port}/echo");
        client.send(format!("GET {target} HTTP/1.1\r\nHost: web.test:{port}\r\n{fields}\r\n"));
        client.end();
        let answer = body(&client.receive_rest());
        assert!(answer.starts_with(expected), "{target} {fields:?}: {answer}");
    }
}

#[test]
fn a_stop_ends_tunnels() {
    let mut server = start();
    let other = server.addresses[1].port();
    let mut client = server.connect();
    client.send(format!("CONNECT web.test:{other} HTTP/1.1\r\nHost: x\r\n\r\n"));
    client.expect("HTTP/1.1 200 OK\r\n\r\n");
    server.stop();
    server.join();
    assert_bytes(client.receive_raw(), "");
}
