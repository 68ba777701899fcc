//! Whole connections of HTTP/2, as a server gets them: anything behind a preface, or, when the
//! first byte is odd, anything at all.
//!
//! - The server does not panic, which ends the run.
//! - A client that sends no more has its connection closed before long, whatever it sent.
#![no_main]

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use libfuzzer_sys::fuzz_target;
use proto::http2::{Flags, FrameHeader, Kind, PREFACE};
use server::{
    Bound, Endpoint, Environment, Error, Exchange, Handler, Http2Use, Limits, Response, Router,
    Scheme, Server, Wakes, dns::DnsNames, event::NoEvents, router::Method, stash::MemoryStash,
};

fuzz_target!(|data: &[u8]| {
    let Some((&first, data)) = data.split_first() else {
        return;
    };
    let mut sent = Vec::new();
    if first % 2 == 0 {
        sent.extend_from_slice(PREFACE);
        let settings =
            FrameHeader { length: 0, kind: Kind::SETTINGS, flags: Flags::NONE, stream: 0 };
        sent.extend_from_slice(&settings.encode());
    }
    sent.extend_from_slice(data);
    // The address is that of a socket which has listened since before the server's thread began.
    let mut stream = TcpStream::connect(address()).expect("the server listens");
    // Only a time of zero is refused.
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("not zero");
    // The server may have closed already.
    let _ = stream.write_all(&sent);
    let _ = stream.shutdown(Shutdown::Write);
    let mut buffer = [0; 65536];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return,
            Err(error) => panic!("the connection stays open: {error}"),
        }
    }
});

/// The server's, which runs for the whole process.
fn address() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(start)
}

fn start() -> SocketAddr {
    let endpoint = Endpoint { scheme: Scheme::Http, host: "127.0.0.1".to_owned(), port: 0 };
    // Port 0 is any that is free on the loopback interface.
    let bound = Bound::new(&[endpoint]).expect("a free port");
    let address = bound.addresses()[0].1;
    let environment = Arc::new(Environment {
        doc_root: std::env::temp_dir(),
        config: serde_json::json!({}),
        files: server::file_cache::FileCache::default(),
        stash: Arc::new(MemoryStash::default()),
        events: Arc::new(NoEvents),
        refusals: server::Refusals::default(),
        limits: Limits { max_body: Some(1 << 20), ..Limits::default() },
        wakes: Arc::new(Wakes::default()),
    });
    let mut router = Router::default();
    // `*` is well-formed.
    router.push(Method::Any, "*", Arc::new(Hello)).expect("a pattern");
    let http2 = Http2Use { prior_knowledge: true, alpn: false };
    let server = Server::new(bound, environment, router, None)
        .with_dns_names(DnsNames::default())
        .with_http2(http2);
    thread::spawn(move || server.run(|| Ok::<_, Error>(std::future::pending())));
    address
}

struct Hello;

impl Handler for Hello {
    fn handle(&self, exchange: Exchange) {
        let length = exchange.request.head.headers.iter().count();
        exchange.respond(Response::new(200, vec![b'x'; length]));
    }
}
