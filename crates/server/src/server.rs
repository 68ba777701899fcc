//! A server: bound sockets, and a loop that accepts.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, mpsc},
    time::Duration,
};

use tokio::{
    net::{TcpListener, UdpSocket},
    runtime,
    sync::watch,
    task::JoinSet,
};

use crate::{
    ConnectionInfo, Encryption, Error, Handler, Scheme, SharedRouter,
    accept::{AcceptShare, Listener},
    connection,
    dns::{self, DnsNames},
    environment::Environment,
    http1::Proxy,
    http2, listener,
    service::{Http2Use, Phase, Service, WebSocketRoute},
    tls,
    turns::{Driver, Turns},
};

/// Where to listen, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// What the port speaks.
    pub scheme: Scheme,
    /// The host name or address; every address of a name is listened on.
    pub host: String,
    /// The port; 0 picks a free one.
    pub port: u16,
}

/// Sockets that are bound and listen, but accept nothing yet.
#[derive(Debug)]
pub struct Bound {
    listeners: Vec<(Scheme, std::net::TcpListener)>,
    /// The UDP sockets of the DNS server, which has the same ports for both.
    dns: Vec<std::net::UdpSocket>,
}

impl Bound {
    /// Binds all endpoints, or none.
    pub fn new(endpoints: &[Endpoint]) -> Result<Self, Error> {
        check_ports(endpoints)?;
        let (mut listeners, mut dns) = (Vec::new(), Vec::new());
        for Endpoint { scheme, host, port } in endpoints {
            if *scheme == Scheme::Dns {
                for (listener, socket) in dns::bind(host, *port)? {
                    listeners.push((*scheme, listener));
                    dns.push(socket);
                }
                continue;
            }
            let bound = listener::bind(host, *port)?;
            listeners.extend(bound.into_iter().map(|listener| (*scheme, listener)));
        }
        Ok(Self { listeners, dns })
    }

    /// The addresses, with the real ports, in the order of the endpoints.
    pub fn addresses(&self) -> Vec<(Scheme, SocketAddr)> {
        let address = |(scheme, listener): &(Scheme, std::net::TcpListener)| {
            Some((*scheme, listener.local_addr().ok()?))
        };
        self.listeners.iter().filter_map(address).collect()
    }

    /// What the sockets are for, in the order of [`sockets`](Self::sockets).
    pub fn schemes(&self) -> Vec<Scheme> {
        self.listeners.iter().map(|(scheme, _)| *scheme).collect()
    }

    /// The sockets, for a process that is to serve them too: those that listen, then those for DNS
    /// over UDP.
    #[cfg(unix)]
    pub fn sockets(&self) -> Vec<std::os::fd::BorrowedFd<'_>> {
        use std::os::fd::AsFd;
        let listeners = self.listeners.iter().map(|(_, listener)| listener.as_fd());
        listeners.chain(self.dns.iter().map(AsFd::as_fd)).collect()
    }

    /// The sockets of another process, as it named them.
    #[cfg(unix)]
    pub fn from_sockets(
        schemes: &[Scheme],
        sockets: impl IntoIterator<Item = std::os::fd::OwnedFd>,
    ) -> Self {
        let mut sockets = sockets.into_iter();
        let listeners = schemes.iter().copied().zip(sockets.by_ref().map(Into::into)).collect();
        Self { listeners, dns: sockets.map(Into::into).collect() }
    }

    /// The descriptors of the sockets.
    #[cfg(unix)]
    pub fn descriptors(&self) -> Vec<std::os::fd::RawFd> {
        use std::os::fd::AsRawFd;
        self.listeners.iter().map(|(_, listener)| listener.as_raw_fd()).collect()
    }
}

/// Each port is for one thing. Found here it can be said what for; the system would say that the
/// port is in use, by this process.
fn check_ports(endpoints: &[Endpoint]) -> Result<(), Error> {
    for (place, endpoint) in endpoints.iter().enumerate() {
        let Endpoint { scheme, host, port } = endpoint;
        let mut before = endpoints[..place].iter();
        let same = before.find(|other| *port != 0 && other.port == *port && other.host == *host);
        if let Some(other) = same {
            return Err(Error::PortTwice { port: *port, first: other.scheme, second: *scheme });
        }
    }
    Ok(())
}

/// What answers WebSocket handshakes.
pub struct WebSocketService {
    /// The handler; it takes the connection over.
    pub handler: Arc<dyn Handler>,
    /// Whether it also answers handshakes on the ports for HTTP.
    pub on_http: bool,
}

impl WebSocketService {
    /// The service of a port where everything goes to the handler.
    fn service(self, http: &Service) -> Service {
        let route = WebSocketRoute { handler: self.handler, everything: true, upgrades: true };
        Service { websocket: Some(route), ..http.clone() }
    }
}

/// Accepts and serves, on one thread.
pub struct Server {
    bound: Bound,
    service: Service,
    websocket: Option<WebSocketService>,
    tls: Option<tls::Acceptor>,
    dns_names: DnsNames,
    stop: watch::Sender<Phase>,
    share: Option<Arc<dyn AcceptShare>>,
    driver: Option<Arc<dyn Driver>>,
}

impl Server {
    /// A server for bound sockets; its router may be a shared one, which can be replaced while it
    /// runs. `tls` is for those whose scheme is secure; where it is missing they are an error of
    /// [`run`](Self::run).
    pub fn new(
        bound: Bound,
        environment: Arc<Environment>,
        router: impl Into<Arc<SharedRouter>>,
        tls: Option<tls::Acceptor>,
    ) -> Self {
        let (stop, shutdown) = watch::channel(Phase::Serving);
        let ports = bound.addresses().into_iter().filter(|(scheme, _)| *scheme != Scheme::Dns);
        let service = Service {
            environment,
            router: router.into(),
            websocket: None,
            http2: Http2Use::default(),
            shutdown,
            proxy: Arc::new(Proxy::new(ports.collect())),
            http2_heads: http2::heads_budget(),
        };
        let dns_names = DnsNames::default();
        Self { bound, service, websocket: None, tls, dns_names, stop, share: None, driver: None }
    }

    /// The same server, with names for its DNS ports to know.
    #[must_use]
    pub fn with_dns_names(self, dns_names: DnsNames) -> Self {
        Self { dns_names, ..self }
    }

    /// Is a proxy to its own ports and to these names alone: what a client asks a proxy for beside
    /// them is answered with 502. Without names, as in the reference, every host is this server.
    #[must_use]
    pub fn with_proxied_names(mut self, names: DnsNames) -> Self {
        self.service.proxy = Arc::new(Proxy::clone(&self.service.proxy).for_names(names));
        self
    }

    /// Answers WebSocket handshakes: all requests on ports for `ws` and `wss`, and those that come
    /// over HTTP/2.
    #[must_use]
    pub fn with_websocket(mut self, websocket: WebSocketService) -> Self {
        self.service.websocket = Some(WebSocketRoute {
            handler: Arc::clone(&websocket.handler),
            everything: false,
            upgrades: websocket.on_http,
        });
        self.websocket = Some(websocket);
        self
    }

    /// Speaks HTTP/2 in more places.
    #[must_use]
    pub fn with_http2(mut self, http2: Http2Use) -> Self {
        self.service.http2 = http2;
        self
    }

    /// Takes no more than its share of the connections, where other processes accept from the same
    /// sockets.
    #[must_use]
    pub fn with_share(self, share: Arc<dyn AcceptShare>) -> Self {
        Self { share: Some(share), ..self }
    }

    /// Has its connections driven by others, not by the thread that [`run`](Self::run)s it.
    #[must_use]
    pub fn with_driver(self, driver: Arc<dyn Driver>) -> Self {
        Self { driver: Some(driver), ..self }
    }

    /// Serves until `shutdown` completes, and ends as it says. `shutdown` is made within the
    /// runtime and before the first connection is accepted. Handlers that still run afterwards are
    /// left behind.
    pub fn run<F, E>(self, shutdown: impl FnOnce() -> Result<F, E>) -> Result<(), E>
    where
        F: Future<Output = Stop> + Send + 'static,
        E: From<Error>,
    {
        let router = Arc::clone(&self.service.router);
        let websocket = self.websocket.as_ref().map(|websocket| Arc::clone(&websocket.handler));
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_park(move || {
                router.current().flush();
                if let Some(websocket) = &websocket {
                    websocket.flush();
                }
            })
            .build()
            .map_err(Error::Runtime)?;
        let shutdown = {
            let _within = runtime.enter();
            shutdown()?
        };
        let driver = self.driver.clone();
        let turns = Arc::new(Turns::new(runtime, Arc::clone(&self.service.environment.wakes)));
        let serving = turns.spawn(self.serve(shutdown));
        let (tell, ended) = mpsc::channel();
        let last = Arc::downgrade(&turns);
        turns.spawn(async move {
            // Whoever runs the server waits for this.
            let result = match serving {
                Some(serving) => serving.await.ok(),
                None => None,
            };
            let _told = tell.send(result);
            if let Some(turns) = last.upgrade() {
                turns.finish();
            }
        });
        if !driver.is_some_and(|driver| driver.begin(Arc::clone(&turns))) {
            turns.take();
        }
        let result = ended.recv();
        turns.close();
        match result {
            Ok(Some(result)) => result.map_err(E::from),
            _ => Err(Error::Runtime(io::Error::other("the server's task has panicked")).into()),
        }
    }

    async fn serve(self, shutdown: impl Future<Output = Stop>) -> Result<(), Error> {
        let Self { bound, service, websocket, tls, dns_names, stop, share, driver: _ } = self;
        let websocket = websocket.map(|websocket| websocket.service(&service));
        let mut tasks = JoinSet::new();
        let listening = bound.addresses().iter().map(|(_, address)| address.ip()).collect();
        let dns = Arc::new(dns::Server::new(dns_names, listening));
        for socket in bound.dns {
            let socket = UdpSocket::from_std(socket).map_err(Error::Runtime)?;
            tasks.spawn(Arc::clone(&dns).serve_udp(socket));
        }
        for (scheme, listener) in bound.listeners {
            if scheme == Scheme::Dns {
                let listener = TcpListener::from_std(listener).map_err(Error::Runtime)?;
                tasks.spawn(Arc::clone(&dns).serve_tcp(listener));
                continue;
            }
            let port = Port::new(scheme, listener, tls.as_ref(), service.http2, share.clone())?;
            let service = match &websocket {
                Some(websocket) if scheme.is_websocket() => websocket,
                _ => &service,
            };
            tasks.spawn(port.accept(service.clone()));
        }
        let ending = shutdown.await;
        // Dropping the acceptors closes the listening sockets.
        tasks.shutdown().await;
        drop((service, websocket));
        // To tell a phase fails only when no connection is left, and then there is nobody to tell.
        if let Stop::Drained(until) = ending {
            let _none_left = stop.send(Phase::Draining);
            tokio::select! {
                () = stop.closed() => {}
                () = until => {}
            }
        }
        let _none_left = stop.send(Phase::Stopping);
        let _elapsed = tokio::time::timeout(GRACE, stop.closed()).await;
        Ok(())
    }
}

/// A listening socket and what is spoken on it.
struct Port {
    scheme: Scheme,
    encryption: Encryption,
    handshake: Option<tls::Handshake>,
    listener: Listener,
}

impl Port {
    fn new(
        scheme: Scheme,
        listener: std::net::TcpListener,
        tls: Option<&tls::Acceptor>,
        http2: Http2Use,
        share: Option<Arc<dyn AcceptShare>>,
    ) -> Result<Self, Error> {
        let tls = match tls.filter(|_| scheme.is_secure()) {
            None if scheme.is_secure() => return Err(Error::NoCertificate { scheme }),
            tls => tls,
        };
        Ok(Self {
            scheme,
            encryption: match tls {
                None => Encryption::None,
                Some(tls) if tls.encrypts_after_connect(scheme) => Encryption::AfterConnect,
                Some(_) => Encryption::Tls,
            },
            handshake: tls.map(|tls| tls.handshake(scheme, http2.alpn)),
            listener: Listener::new(listener, share).map_err(Error::Runtime)?,
        })
    }

    async fn accept(mut self, service: Service) {
        let environment = Arc::clone(&service.environment);
        loop {
            let warn = |error: &io::Error| {
                let text = format!("a connection cannot be accepted: {error}");
                environment.refusals.tell(environment.events.as_ref(), "listener", &text);
            };
            let (stream, peer, counted) = self.listener.accept(warn).await;
            let Ok(local) = stream.local_addr() else {
                continue;
            };
            let (scheme, encryption) = (self.scheme.url_scheme(), self.encryption);
            let only_http2 = self.scheme == Scheme::H2;
            let info = ConnectionInfo { peer, local, scheme, encryption, only_http2 };
            let (handshake, service) = (self.handshake.clone(), service.clone());
            tokio::spawn(connection::serve(stream, info, handshake, service, counted));
        }
    }
}

/// How a server ends.
pub enum Stop {
    /// At once: running responses have [`GRACE`].
    Now,
    /// Once what is under way is done: it accepts no more, finishes the requests that it has, and
    /// ends when no connection is left, or as with `Now` when this future completes.
    Drained(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// How long running responses may go on after a stop.
pub const GRACE: Duration = Duration::from_millis(250);
