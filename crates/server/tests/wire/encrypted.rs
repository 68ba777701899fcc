//! TLS: the same responses, encrypted, and what happens when a client speaks something else.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use server::{Config, Exchange, Finish, Scheme, tls::Identity};
use tempfile::TempDir;

use crate::{
    events::Recorder,
    handlers::{Echo, Inline, Threaded, ok_and_close, response},
    harness::{DEADLINE, Running, Setup, assert_bytes, normalise},
};

/// A key and certificates of their own, and the folder that they are in.
struct Certified {
    identity: Identity,
    _folder: TempDir,
}

fn certified(encrypt_after_connect: bool) -> Certified {
    let folder = TempDir::new().unwrap();
    let mut config = Config::default();
    "openssl".clone_into(&mut config.ssl.kind);
    config.ssl.openssl["base_path"] = folder.path().to_str().unwrap().into();
    config.ssl.encrypt_after_connect = encrypt_after_connect;
    let identity = Identity::of(&config, &["localhost".to_owned()]).unwrap();
    Certified { identity, _folder: folder }
}

fn client(identity: &Identity, protocols: &[&[u8]]) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    let authority = identity.files().authority.as_deref().unwrap();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap()
}

fn tcp(server: &Running) -> TcpStream {
    let stream = TcpStream::connect_timeout(&server.address, DEADLINE).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream
}

type Encrypted = StreamOwned<ClientConnection, TcpStream>;

fn connect(server: &Running, identity: &Identity) -> Encrypted {
    StreamOwned::new(client(identity, &[]), tcp(server))
}

fn expect(stream: &mut impl Read, expected: impl AsRef<[u8]>) {
    let expected = expected.as_ref();
    let mut bytes = vec![0; expected.len()];
    stream.read_exact(&mut bytes).unwrap();
    assert_bytes(bytes, expected);
}

/// Everything up to a close that is announced: one that is not would be an error here.
fn rest(stream: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    normalise(&bytes)
}

fn yes(exchange: Exchange) {
    let mut writer = exchange.writer;
    writer.respond(response(200, "yes"));
}

fn url(exchange: Exchange) {
    let Exchange { request, mut writer } = exchange;
    let url = request.display_url();
    let parts = request.url_parts();
    writer.respond(server::Response::new(200, format!("{} {url}", parts.scheme)));
}

#[test]
fn requests_follow_each_other_and_the_end_is_announced() {
    let Certified { identity, _folder } = certified(false);
    let server = Setup::new().route("/url", Inline(url)).secure(&identity).start();
    let mut stream = connect(&server, &identity);
    for _ in 0..2 {
        stream.write_all(b"GET /url HTTP/1.1\r\nHost: h:1\r\n\r\n").unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        expect(&mut stream, "https https://h:1/url");
    }
    stream.write_all(b"GET /url HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\n\r\n").unwrap();
    let answer = rest(&mut stream);
    assert!(answer.ends_with(b"https https://h:1/url"), "{}", answer.escape_ascii());
}

#[test]
fn a_body_and_a_response_of_many_records_arrive_whole() {
    let Certified { identity, _folder } = certified(false);
    let server = Setup::new().route("/", Echo).secure(&identity).start();
    let mut stream = connect(&server, &identity);
    let body: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let head =
        format!("POST / HTTP/1.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body).unwrap();
    let answer = rest(&mut stream);
    assert!(answer.ends_with(&body), "{} bytes", answer.len());
}

#[test]
fn a_client_may_wait_for_100_continue() {
    let Certified { identity, _folder } = certified(false);
    let server = Setup::new().route("/", Echo).secure(&identity).start();
    let mut stream = connect(&server, &identity);
    stream
        .write_all(b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        .unwrap();
    expect(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"ok").unwrap();
    expect(&mut stream, "HTTP/1.1 200 OK\r\n");
}

#[test]
fn a_taken_over_connection_stays_encrypted() {
    let Certified { identity, _folder } = certified(false);
    let shout = |exchange: Exchange| {
        let mut writer = exchange.writer;
        let inbox = writer.take_over();
        writer.send(Bytes::from("up\r\n")).unwrap();
        let bytes = inbox.read(3, Some(DEADLINE)).unwrap();
        writer.finish(bytes.to_ascii_uppercase().into(), Finish::KeepAlive);
    };
    let server = Setup::new().route("/", Threaded(shout)).secure(&identity).start();
    let mut stream = connect(&server, &identity);
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    expect(&mut stream, "up\r\n");
    stream.write_all(b"abc").unwrap();
    assert_bytes(rest(&mut stream), "ABC");
}

#[test]
fn the_handshake_settles_on_http_1_1() {
    let Certified { identity, _folder } = certified(false);
    let server = Setup::new().route("/", Inline(yes)).secure(&identity).start();
    let mut stream = StreamOwned::new(client(&identity, &[b"h2", b"http/1.1"]), tcp(&server));
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    expect(&mut stream, "HTTP/1.1 200 OK\r\n");
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[test]
fn a_handshake_that_offers_http_1_0_alone_is_taken() {
    let Certified { identity, _folder } = certified(false);
    let server = Setup::new().route("/", Inline(yes)).secure(&identity).start();
    let mut stream = StreamOwned::new(client(&identity, &[b"http/1.0"]), tcp(&server));
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    expect(&mut stream, "HTTP/1.1 200 OK\r\n");
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.0"[..]));
}

#[test]
fn encryption_may_begin_after_connect() {
    let Certified { identity, _folder } = certified(true);
    let server = Setup::new().route("/url", Inline(url)).secure(&identity).start();
    let mut plain = tcp(&server);
    plain.write_all(b"CONNECT h:1 HTTP/1.1\r\n\r\n").unwrap();
    expect(&mut plain, "HTTP/1.1 200 OK\r\n");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        plain.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let mut stream = StreamOwned::new(client(&identity, &[]), plain);
    stream.write_all(b"GET /url HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\n\r\n").unwrap();
    let answer = rest(&mut stream);
    assert!(answer.ends_with(b"https https://h:1/url"), "{}", answer.escape_ascii());
}

#[test]
fn a_handshake_may_come_right_behind_connect() {
    let Certified { identity, _folder } = certified(true);
    let server = Setup::new().route("/", Inline(yes)).secure(&identity).start();
    let mut session = client(&identity, &[]);
    let mut bytes = b"CONNECT h:1 HTTP/1.1\r\n\r\n".to_vec();
    session.write_tls(&mut bytes).unwrap();
    let mut plain = tcp(&server);
    plain.write_all(&bytes).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        plain.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let mut stream = StreamOwned::new(session, plain);
    stream.write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    assert_bytes(rest(&mut stream), ok_and_close("yes"));
}

#[test]
fn a_client_without_tls_is_told_so() {
    let Certified { identity, _folder } = certified(false);
    let recorder = Arc::new(Recorder::default());
    let server = Setup::new()
        .events(Arc::<Recorder>::clone(&recorder))
        .route("/", Inline(yes))
        .secure(&identity)
        .start();
    let mut stream = tcp(&server);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let text = "This port speaks HTTPS; the request came without TLS. Use an https: URL.\n";
    let expected = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nServer: S\r\nDate: D\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    assert_bytes(rest(&mut stream), expected);
    let line = "400 the client speaks without TLS to a port where TLS is spoken";
    assert_eq!(recorder.lines(), [line]);
}

#[test]
fn a_malformed_handshake_is_answered_by_an_alert() {
    let Certified { identity, _folder } = certified(false);
    let recorder = Arc::new(Recorder::default());
    let server = Setup::new()
        .events(Arc::<Recorder>::clone(&recorder))
        .route("/", Inline(yes))
        .secure(&identity)
        .start();
    for garbage in [&b"\x16"[..], b"\x16\x03\x01\x00\x02hi", &[0x16; 5000]] {
        let mut stream = tcp(&server);
        stream.write_all(garbage).unwrap();
        // The server may have closed already.
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        // A reset is an end too.
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer[0] == 21, "{}", answer.escape_ascii());
    }
    // One that looks whether the port is open says nothing, and is not spoken of.
    drop(tcp(&server));
    let mut stream = connect(&server, &identity);
    stream.write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    assert_bytes(rest(&mut stream), ok_and_close("yes"));
    let lines = recorder.lines();
    let failures = lines.iter().filter(|line| line.starts_with("Info tls ")).count();
    assert_eq!(failures, 3, "{lines:?}");
}

#[test]
fn a_client_that_does_not_trust_is_named_with_the_remedy() {
    let Certified { identity, _folder } = certified(false);
    let Certified { identity: other, _folder: _other } = certified(false);
    let recorder = Arc::new(Recorder::default());
    let server = Setup::new()
        .events(Arc::<Recorder>::clone(&recorder))
        .route("/", Inline(yes))
        .secure(&identity)
        .start();
    let mut stream = StreamOwned::new(client(&other, &[]), tcp(&server));
    assert!(stream.write_all(b"GET / HTTP/1.1\r\n\r\n").is_err());
    // One thread serves all: what it answers now comes after what it said of the alert.
    drop(stream);
    let mut stream = connect(&server, &identity);
    stream.write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    assert_bytes(rest(&mut stream), ok_and_close("yes"));
    let lines = recorder.lines();
    let told = lines.iter().any(|line| line.contains("does not trust the certificate"));
    assert!(told, "{lines:?}");
}

#[test]
fn tls_to_a_port_without_is_named() {
    let Certified { identity, _folder } = certified(false);
    let recorder = Arc::new(Recorder::default());
    let server =
        Setup::new().events(Arc::<Recorder>::clone(&recorder)).route("/", Inline(yes)).start();
    let mut stream = StreamOwned::new(client(&identity, &[]), tcp(&server));
    assert!(stream.write_all(b"GET / HTTP/1.1\r\n\r\n").is_err());
    let line = "400 the client speaks TLS to a port for requests without TLS";
    assert_eq!(recorder.lines(), [line]);
}

#[test]
fn a_secure_port_without_a_certificate_is_an_error() {
    let mut server = Setup::new().scheme(Scheme::Https).start();
    let error = server.end(Duration::from_secs(10)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a port for https needs a certificate; set `ssl.type` in the configuration"
    );
}
