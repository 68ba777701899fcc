//! A server: bound sockets, and a loop that accepts.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use crate::{
    ConnectionInfo, Error, Router,
    environment::Environment,
    event::{Event, Level},
    http1::{self, Service},
    listener,
};

/// Sockets that are bound and listen, but accept nothing yet.
#[derive(Debug)]
pub struct Bound {
    listeners: Vec<std::net::TcpListener>,
}

impl Bound {
    /// Binds every address of `host` on each of `ports`; port 0 picks a free one.
    pub fn new(host: &str, ports: &[u16]) -> Result<Self, Error> {
        let mut listeners = Vec::new();
        for &port in ports {
            listeners.extend(listener::bind(host, port)?);
        }
        Ok(Self { listeners })
    }

    /// The addresses, with the real ports.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }
}

/// Accepts and serves until `shutdown` completes; then gives running responses
/// [`GRACE`] to end. To be run on a current-thread runtime.
pub async fn run(
    bound: Bound,
    environment: Arc<Environment>,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let (stop, stopping) = watch::channel(false);
    let service = Service { environment, router: Arc::new(router), shutdown: stopping };
    let mut acceptors = JoinSet::new();
    for listener in bound.listeners {
        let listener = TcpListener::from_std(listener).map_err(Error::Runtime)?;
        acceptors.spawn(accept(listener, service.clone()));
    }
    shutdown.await;
    // Dropping the acceptors closes the listening sockets.
    acceptors.shutdown().await;
    // Fails only when no connection is left, and then there is nobody to tell.
    let _none_left = stop.send(true);
    drop(service);
    let _elapsed = tokio::time::timeout(GRACE, stop.closed()).await;
    Ok(())
}

async fn accept(listener: TcpListener, service: Service) {
    let events = Arc::clone(&service.environment.events);
    loop {
        let warn = |error: &std::io::Error| {
            events.emit(&Event::Message {
                level: Level::Error,
                source: "listener",
                text: &format!("a connection cannot be accepted: {error}"),
            });
        };
        let (stream, peer) = listener::accept(&listener, warn).await;
        let Ok(local) = stream.local_addr() else { continue };
        let info = ConnectionInfo { peer, local, scheme: "http" };
        tokio::spawn(http1::serve(stream, info, service.clone()));
    }
}

/// How long running responses may go on after a stop.
pub const GRACE: Duration = Duration::from_millis(250);
