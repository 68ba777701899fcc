//! A server: bound sockets, and a loop that accepts.

use std::{
    future::{Future, poll_fn},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use tokio::{net::TcpListener, runtime, sync::watch, task::JoinSet};

use crate::{
    ConnectionInfo, Encryption, Error, Router, Scheme, connection,
    environment::Environment,
    event::{Event, Level},
    listener,
    service::{Http2Use, Service},
    tls,
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
}

impl Bound {
    /// Binds all endpoints, or none.
    pub fn new(endpoints: &[Endpoint]) -> Result<Self, Error> {
        let mut listeners = Vec::new();
        for Endpoint { scheme, host, port } in endpoints {
            let bound = listener::bind(host, *port)?;
            listeners.extend(bound.into_iter().map(|listener| (*scheme, listener)));
        }
        Ok(Self { listeners })
    }

    /// The addresses, with the real ports, in the order of the endpoints.
    pub fn addresses(&self) -> Vec<(Scheme, SocketAddr)> {
        let address = |(scheme, listener): &(Scheme, std::net::TcpListener)| {
            Some((*scheme, listener.local_addr().ok()?))
        };
        self.listeners.iter().filter_map(address).collect()
    }
}

/// Accepts and serves, on one thread.
pub struct Server {
    bound: Bound,
    service: Service,
    tls: Option<tls::Acceptor>,
    stop: watch::Sender<bool>,
}

impl Server {
    /// A server for bound sockets. `tls` is for those whose scheme is secure; where it is missing
    /// they are an error of [`run`](Self::run).
    pub fn new(
        bound: Bound,
        environment: Arc<Environment>,
        router: Router,
        tls: Option<tls::Acceptor>,
    ) -> Self {
        let (stop, shutdown) = watch::channel(false);
        let service =
            Service { environment, router: Arc::new(router), http2: Http2Use::default(), shutdown };
        Self { bound, service, tls, stop }
    }

    /// Speaks HTTP/2 in more places.
    #[must_use]
    pub fn with_http2(mut self, http2: Http2Use) -> Self {
        self.service.http2 = http2;
        self
    }

    /// Serves until `shutdown` completes; then gives running responses [`GRACE`] to end.
    /// `shutdown` is made within the runtime and before the first connection is accepted.
    /// Handlers that still run afterwards are left behind.
    pub fn run<F, E>(self, shutdown: impl FnOnce() -> Result<F, E>) -> Result<(), E>
    where
        F: Future<Output = ()>,
        E: From<Error>,
    {
        let router = Arc::clone(&self.service.router);
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_park(move || router.flush())
            .build()
            .map_err(Error::Runtime)?;
        let result = runtime.block_on(async {
            let shutdown = shutdown()?;
            self.serve(shutdown).await.map_err(E::from)
        });
        runtime.shutdown_background();
        result
    }

    async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let Self { bound, service, tls, stop } = self;
        let mut tasks = JoinSet::new();
        for (scheme, listener) in bound.listeners {
            let port = Port::new(scheme, listener, tls.as_ref(), service.http2)?;
            tasks.spawn(port.accept(service.clone()));
        }
        let wakes = Arc::clone(&service.environment.wakes);
        let dispatcher = tokio::spawn(poll_fn(move |cx| wakes.poll_dispatch(cx)));
        shutdown.await;
        // Dropping the acceptors closes the listening sockets.
        tasks.shutdown().await;
        // Fails only when no connection is left, and then there is nobody to tell.
        let _none_left = stop.send(true);
        drop(service);
        let _elapsed = tokio::time::timeout(GRACE, stop.closed()).await;
        dispatcher.abort();
        Ok(())
    }
}

/// A listening socket and what is spoken on it.
struct Port {
    scheme: Scheme,
    encryption: Encryption,
    handshake: Option<tls::Handshake>,
    listener: TcpListener,
}

impl Port {
    fn new(
        scheme: Scheme,
        listener: std::net::TcpListener,
        tls: Option<&tls::Acceptor>,
        http2: Http2Use,
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
            listener: TcpListener::from_std(listener).map_err(Error::Runtime)?,
        })
    }

    async fn accept(self, service: Service) {
        let events = Arc::clone(&service.environment.events);
        loop {
            let warn = |error: &std::io::Error| {
                events.emit(&Event::Message {
                    level: Level::Error,
                    source: "listener",
                    text: &format!("a connection cannot be accepted: {error}"),
                });
            };
            let (stream, peer) = listener::accept(&self.listener, warn).await;
            let Ok(local) = stream.local_addr() else {
                continue;
            };
            let (scheme, encryption) = (self.scheme.url_scheme(), self.encryption);
            let only_http2 = self.scheme == Scheme::H2;
            let info = ConnectionInfo { peer, local, scheme, encryption, only_http2 };
            tokio::spawn(connection::serve(stream, info, self.handshake.clone(), service.clone()));
        }
    }
}

/// How long running responses may go on after a stop.
pub const GRACE: Duration = Duration::from_millis(250);
