//! HTTP/2 (RFC 9113): one connection, its requests side by side.
//!
//! The `h2` crate keeps the protocol; `wire` stands between it and the socket for what tests
//! ask of a server that no library sends. Each request is a `stream`, which answers through the
//! same [`ResponseWriter`](crate::ResponseWriter) as a request over HTTP/1.

mod handle;
mod head;
mod stream;
mod transport;
mod wire;

use std::{
    future::pending,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use h2::{Reason, server};
use proto::request_head::MAX_HEAD;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep, timeout},
};

use crate::{
    ConnectionInfo,
    event::{Event, Level},
    outbox::Outbox,
    service::Service,
};

pub use handle::Http2Stream;
use stream::Stream;
use transport::Transport;
use wire::Wire;

/// Serves a connection until it closes; some of what the client sent may be `received` already.
pub(crate) async fn serve<S>(stream: S, received: BytesMut, info: ConnectionInfo, service: Service)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let wire = Arc::new(Wire::new());
    let transport = Transport::new(stream, received, Arc::clone(&wire));
    let handshake = settings().handshake(transport);
    let patience = service.environment.limits.head_timeout;
    let connection = match timeout(patience, handshake).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return tell(&service, &info, &error),
        // A client that says nothing is not worth a line of the log.
        Err(_elapsed) => return,
    };
    let shared = Shared { service, info: Arc::new(info), wire, abandoned: Mutex::default() };
    Connection { connection, shared: Arc::new(shared) }.run().await;
}

fn settings() -> server::Builder {
    let mut builder = server::Builder::new();
    builder
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .enable_connect_protocol();
    builder
}

struct Connection<S> {
    connection: server::Connection<Transport<S>, Bytes>,
    shared: Arc<Shared>,
}

/// What the streams of a connection have in common.
struct Shared {
    service: Service,
    info: Arc<ConnectionInfo>,
    wire: Arc<Wire>,
    /// The ways back to handlers whose stream is gone. Those that still run count.
    abandoned: Mutex<Vec<Weak<Outbox>>>,
}

impl Shared {
    fn abandon(&self, outbox: &Arc<Outbox>) {
        let mut abandoned = self.abandoned.lock().unwrap_or_else(PoisonError::into_inner);
        abandoned.push(Arc::downgrade(outbox));
    }

    /// Whether the client makes handlers run whose answers it does not wait for. To reset a stream
    /// costs it nothing, and the stream does not count against its limit any more (CVE-2023-44487).
    fn is_flooded(&self) -> bool {
        let mut abandoned = self.abandoned.lock().unwrap_or_else(PoisonError::into_inner);
        if abandoned.len() >= MAX_ABANDONED {
            abandoned.retain(|outbox| outbox.strong_count() > 0);
        }
        abandoned.len() >= MAX_ABANDONED
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn run(mut self) {
        let patience = self.shared.service.environment.limits.idle_timeout;
        let mut shutdown = self.shared.service.shutdown.clone();
        let mut stopping = false;
        let mut idle = Box::pin(sleep(patience));
        loop {
            let accepted = tokio::select! {
                biased;
                accepted = self.connection.accept() => accepted,
                // An error means that the server is gone, which is a stop too.
                _stop = async {
                    if stopping {
                        pending().await
                    } else {
                        shutdown.wait_for(|phase| phase.ends()).await
                    }
                } => {
                    stopping = true;
                    self.connection.graceful_shutdown();
                    continue;
                }
                () = idle.as_mut() => {
                    if !self.connection.has_streams() {
                        self.connection.graceful_shutdown();
                    }
                    idle.as_mut().reset(Instant::now() + patience.max(SHORTEST_PATIENCE));
                    continue;
                }
            };
            match accepted {
                None => return,
                Some(Err(error)) => {
                    return tell(&self.shared.service, &self.shared.info, &error);
                }
                Some(Ok((request, respond))) => {
                    idle.as_mut().reset(Instant::now() + patience);
                    if self.shared.is_flooded() {
                        self.connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                        continue;
                    }
                    let stream = Stream::new(Arc::clone(&self.shared), request, respond);
                    tokio::spawn(stream.run());
                }
            }
        }
    }
}

/// Tells what a client did wrong; that it left is none of that.
fn tell(service: &Service, info: &ConnectionInfo, error: &h2::Error) {
    if error.is_io() || error.reason() == Some(Reason::NO_ERROR) {
        return;
    }
    service.environment.events.emit(&Event::Message {
        level: Level::Info,
        source: "http2",
        text: &format!("{}: {error}", info.peer),
    });
}

const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
const MAX_STREAMS: u32 = 256;
const MAX_ABANDONED: usize = 256;
const SHORTEST_PATIENCE: Duration = Duration::from_secs(1);
