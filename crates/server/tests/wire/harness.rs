//! A server on a free port in a thread, and clients that speak bytes to it.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use server::{
    Bound, Config, Driver, Endpoint, Environment, Error, Handler, Http2Use, Limits, Refusals,
    Router, Scheme, Server, Stop, Wakes, WebSocketService,
    dns::DnsNames,
    event::{EventSink, NoEvents},
    files::{AsIsHandler, FileHandler},
    response::SERVER,
    router::Method,
    stash::MemoryStash,
    tls::{Acceptor, Identity},
};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// No wait is longer than this; what takes as long has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// What a server is to be like.
pub(crate) struct Setup {
    root: TempDir,
    limits: Limits,
    router: Router,
    events: Arc<dyn EventSink>,
    schemes: Vec<Scheme>,
    tls: Option<Acceptor>,
    config: serde_json::Value,
    dns_names: DnsNames,
    http2: Http2Use,
    is_proxy: bool,
    websocket: Option<Arc<dyn Handler>>,
    driver: Option<Arc<dyn Driver>>,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self {
            root: TempDir::new().unwrap(),
            limits: Limits::default(),
            router: Router::default(),
            events: Arc::new(NoEvents),
            schemes: vec![Scheme::Http],
            tls: None,
            config: serde_json::json!({}),
            dns_names: DnsNames::default(),
            http2: Http2Use::default(),
            is_proxy: false,
            websocket: None,
            driver: None,
        }
    }

    /// A handler for every method; earlier routes win.
    pub(crate) fn route(mut self, pattern: &str, handler: impl Handler + 'static) -> Self {
        self.router.push(Method::Any, pattern, Arc::new(handler)).unwrap();
        self
    }

    /// The routes of files, behind the others.
    pub(crate) fn with_files(mut self) -> Self {
        let get = || Method::Named(b"GET".to_vec());
        self.router.push(get(), "*.asis", Arc::new(AsIsHandler)).unwrap();
        self.router.push(get(), "*", Arc::new(FileHandler::default())).unwrap();
        self
    }

    pub(crate) fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) fn events(mut self, events: Arc<dyn EventSink>) -> Self {
        self.events = events;
        self
    }

    pub(crate) fn scheme(mut self, scheme: Scheme) -> Self {
        self.schemes = vec![scheme];
        self
    }

    /// TLS, with this key and certificate.
    pub(crate) fn secure(mut self, identity: &Identity) -> Self {
        self.tls = Some(Acceptor::new(identity).unwrap());
        self.scheme(Scheme::Https)
    }

    /// Has the connections driven by other threads than the server's own.
    pub(crate) fn driven_by(mut self, driver: Arc<dyn Driver>) -> Self {
        self.driver = Some(driver);
        self
    }

    /// HTTP/2 without TLS, with clients that begin with it.
    pub(crate) fn prior_knowledge(mut self) -> Self {
        self.http2.prior_knowledge = true;
        self
    }

    /// The server for the hosts of a configuration, with a port for each scheme.
    pub(crate) fn config(mut self, config: &Config, schemes: &[Scheme]) -> Self {
        self.config = config.resolved(self.root.path(), &[]);
        self.dns_names = DnsNames::new(&config.host_names(), None);
        self.schemes = schemes.to_vec();
        self
    }

    /// A proxy for the hosts of its configuration alone.
    pub(crate) fn proxy(mut self) -> Self {
        self.is_proxy = true;
        self
    }

    /// What answers WebSocket handshakes.
    pub(crate) fn websocket(mut self, handler: impl Handler + 'static) -> Self {
        self.websocket = Some(Arc::new(handler));
        self
    }

    /// Binds, and serves in a thread. Connections are possible at once.
    pub(crate) fn start(self) -> Running {
        let endpoint = |scheme| Endpoint { scheme, host: "127.0.0.1".to_owned(), port: 0 };
        let bound =
            Bound::new(&self.schemes.into_iter().map(endpoint).collect::<Vec<_>>()).unwrap();
        let addresses: Vec<_> = bound.addresses().iter().map(|(_, address)| *address).collect();
        let environment = Arc::new(Environment {
            doc_root: fs::canonicalize(self.root.path()).unwrap(),
            config: self.config,
            files: server::file_cache::FileCache::default(),
            stash: Arc::new(MemoryStash::default()),
            events: self.events,
            refusals: Refusals::default(),
            limits: self.limits,
            wakes: Arc::new(Wakes::default()),
        });
        let mut server = Server::new(bound, environment, self.router, self.tls)
            .with_dns_names(self.dns_names.clone())
            .with_http2(self.http2);
        if self.is_proxy {
            server = server.with_proxied_names(self.dns_names);
        }
        if let Some(handler) = self.websocket {
            server = server.with_websocket(WebSocketService { handler, on_http: false });
        }
        if let Some(driver) = self.driver {
            server = server.with_driver(driver);
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let (ended, end) = mpsc::channel();
        thread::spawn(move || {
            let result = server.run(|| {
                // A sender that is dropped stops the server too.
                Ok::<_, Error>(async {
                    stopped.await.unwrap_or_default();
                    Stop::Now
                })
            });
            // Nobody listens when the test has failed.
            let _ = ended.send(result);
        });
        Running { address: addresses[0], addresses, root: self.root, stop: Some(stop), end }
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Running {
    /// The first of its addresses.
    pub(crate) address: SocketAddr,
    pub(crate) addresses: Vec<SocketAddr>,
    root: TempDir,
    stop: Option<oneshot::Sender<()>>,
    end: mpsc::Receiver<Result<(), Error>>,
}

impl Running {
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// What a new connection answers to `request` before it closes, when the client sends nothing
    /// more.
    #[track_caller]
    pub(crate) fn answer(&self, request: impl AsRef<[u8]>) -> Vec<u8> {
        let mut client = self.connect();
        client.send(request);
        client.end();
        client.receive_rest()
    }

    /// Returns when the server has read everything that was sent before: it has one I/O thread,
    /// and answers a connection that was made later.
    #[track_caller]
    pub(crate) fn settle(&self) {
        let mut client = self.connect();
        client.send("GET * HTTP/1.0\r\n\r\n");
        assert_bytes(client.receive_rest(), error(404, "Not Found", "", true));
    }

    /// Asks the server to stop and does not wait for it.
    pub(crate) fn stop(&mut self) {
        // The thread may have ended by itself, which `join` tells.
        let _ = self.stop.take().unwrap().send(());
    }

    /// How the server ended, which is to be soon.
    #[track_caller]
    pub(crate) fn end(&mut self, patience: Duration) -> Result<(), Error> {
        self.stop = None;
        self.end.recv_timeout(patience).expect("the server goes on")
    }

    /// Waits until the server has ended.
    #[track_caller]
    pub(crate) fn join(&mut self) {
        self.end.recv_timeout(DEADLINE).expect("the server goes on").unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.stop.is_none() {
            return;
        }
        self.stop();
        if !thread::panicking() {
            self.join();
        }
    }
}

/// One connection. Reads and writes have a deadline.
pub(crate) struct Client {
    stream: TcpStream,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Self { stream }
    }

    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Says that nothing more is sent.
    pub(crate) fn end(&self) {
        // Fails only when the server has closed already.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The next bytes, as many as `expected` has, are these.
    #[track_caller]
    pub(crate) fn expect(&mut self, expected: impl AsRef<[u8]>) {
        let expected = expected.as_ref();
        let received = self.receive_until(expected.len(), DEADLINE);
        assert_bytes(received, expected);
    }

    /// All bytes up to the end of the connection, normalised.
    #[track_caller]
    pub(crate) fn receive_rest(&mut self) -> Vec<u8> {
        normalise(&self.receive_raw())
    }

    /// All bytes up to the end of the connection.
    #[track_caller]
    pub(crate) fn receive_raw(&mut self) -> Vec<u8> {
        self.stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut bytes = Vec::new();
        if let Err(error) = self.stream.read_to_end(&mut bytes) {
            panic!("{error} after {}", shown(&bytes));
        }
        bytes
    }

    /// All bytes up to a reset of the connection.
    #[track_caller]
    pub(crate) fn receive_until_reset(&mut self) -> Vec<u8> {
        self.stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut bytes = Vec::new();
        let error = self.stream.read_to_end(&mut bytes).expect_err("no reset");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "after {}", shown(&bytes));
        bytes
    }

    /// Bytes until there are `length` of them, the connection ends or `patience` does.
    pub(crate) fn receive_until(&mut self, length: usize, patience: Duration) -> Vec<u8> {
        let deadline = Instant::now() + patience;
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.stream.set_read_timeout(Some(left)).unwrap();
            match self.stream.read(&mut bytes[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => panic!("{error} after {}", shown(&bytes[..filled])),
            }
        }
        bytes.truncate(filled);
        bytes
    }

    /// A second handle, to send from another thread.
    pub(crate) fn sender(&self) -> Self {
        Self { stream: self.stream.try_clone().unwrap() }
    }
}

/// The engine's own error response.
pub(crate) fn error(status: u16, reason: &str, message: &str, close: bool) -> Vec<u8> {
    let body = format!(r#"{{"error": {{"code": {status}, "message": "{message}"}}}}"#);
    let close = if close { "Connection: close\r\n" } else { "" };
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Server: S\r\nDate: D\r\n{close}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Makes the fields that change from run to run and from version to version `Date: D` and
/// `Server: S`.
pub(crate) fn normalise(bytes: &[u8]) -> Vec<u8> {
    const DATE: &[u8] = b"\r\nDate: ";
    const LENGTH: usize = "Thu, 01 Jan 1970 00:00:00 GMT".len();
    let server = format!("\r\nServer: {SERVER}\r\n");
    let mut result = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(&byte) = rest.first() {
        if let Some(after) = rest.strip_prefix(server.as_bytes()) {
            result.extend_from_slice(b"\r\nServer: S");
            // The line end may begin the next field.
            rest = &rest[rest.len() - after.len() - 2..];
        } else if let Some(value) = rest.strip_prefix(DATE)
            && value.get(LENGTH - 4..LENGTH + 2) == Some(b" GMT\r\n")
        {
            result.extend_from_slice(b"\r\nDate: D");
            rest = &value[LENGTH..];
        } else {
            result.push(byte);
            rest = &rest[1..];
        }
    }
    result
}

/// Compares as bytes, shows as text.
#[track_caller]
pub(crate) fn assert_bytes(received: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) {
    let (received, expected) = (received.as_ref(), expected.as_ref());
    assert!(
        received == expected,
        "\nreceived:\n{}\nexpected:\n{}\n",
        shown(received),
        shown(expected)
    );
}

/// Bytes as text, a wire line a line, the middle of long ones left out.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 400;
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string().replace("\\r\\n", "\\r\\n\n");
    if bytes.len() <= 2 * MOST {
        return text(bytes);
    }
    let left_out = bytes.len() - 2 * MOST;
    format!("{} [{left_out} bytes] {}", text(&bytes[..MOST]), text(&bytes[bytes.len() - MOST..]))
}

#[test]
fn the_normaliser_changes_two_fields_only() {
    let head = format!(
        "HTTP/1.1 200 OK\r\nServer: {SERVER}\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nX: Date: y\r\n\r\n"
    );
    assert_bytes(
        normalise(head.as_bytes()),
        "HTTP/1.1 200 OK\r\nServer: S\r\nDate: D\r\nX: Date: y\r\n\r\n",
    );
}
