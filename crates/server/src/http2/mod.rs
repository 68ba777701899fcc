//! HTTP/2 (RFC 9113): one connection, its requests side by side.
//!
//! The `h2` crate keeps the protocol; `wire` stands between it and the socket for what tests
//! ask of a server that no library sends, and `heads` for what no library takes. Each request is
//! a `stream`, which answers through the same [`ResponseWriter`](crate::ResponseWriter) as a
//! request over HTTP/1.

mod handle;
mod head;
mod heads;
mod stream;
mod transport;
mod wire;

use std::{
    future::{pending, poll_fn},
    sync::{Arc, Mutex, PoisonError, Weak},
    task::Poll,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use h2::{
    Reason, RecvStream,
    server::{self, SendResponse},
};
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
pub use head::is_informational;
pub(crate) use heads::heads_budget;
use heads::{HeadReader, Refusal};
use stream::Stream;
use transport::Transport;
use wire::Wire;

/// Serves a connection until it closes; some of what the client sent may be `received` already.
pub(crate) async fn serve<S>(stream: S, received: BytesMut, info: ConnectionInfo, service: Service)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let wire = Arc::new(Wire::new());
    let heads = HeadReader::new(heads::connection_budget(&service.http2_heads));
    let info = Arc::new(info);
    let limit = service.environment.limits.write_timeout;
    let transport =
        Transport::new(stream, received, Arc::clone(&wire), heads, Arc::clone(&info), limit);
    let handshake = settings().handshake(transport);
    let patience = service.environment.limits.head_timeout;
    let connection = match timeout(patience, handshake).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return tell(&service, &info, &error),
        // A client that says nothing is not worth a line of the log.
        Err(_elapsed) => return,
    };
    let shared = Shared { service, info, wire, abandoned: Mutex::default() };
    Connection { h2: connection, shared: Arc::new(shared), refused: 0 }.run().await;
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
    h2: server::Connection<Transport<S>, Bytes>,
    shared: Arc<Shared>,
    /// How many streams were reset instead of served.
    refused: usize,
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

    /// Tells what the client did wrong.
    fn tell(&self, text: &str) {
        tell_text(&self.service, &self.info, text);
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
                accepted = self.h2.accept() => accepted,
                // What was read just now may have failed.
                failure = poll_fn(|_| self.shared.wire.take_failure().map_or(Poll::Pending, Poll::Ready)) => {
                    self.shared.tell(&failure.text);
                    self.h2.abrupt_shutdown(failure.reason);
                    continue;
                }
                // An error means that the server is gone, which is a stop too.
                _stop = async {
                    if stopping {
                        pending().await
                    } else {
                        shutdown.wait_for(|phase| phase.ends()).await
                    }
                } => {
                    stopping = true;
                    self.h2.graceful_shutdown();
                    continue;
                }
                () = idle.as_mut() => {
                    if !self.h2.has_streams() {
                        self.h2.graceful_shutdown();
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
                        self.h2.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                        continue;
                    }
                    self.begin(request.into_body(), respond);
                }
            }
        }
    }

    /// Serves a stream that the client began, or refuses it.
    fn begin(&mut self, body: RecvStream, mut respond: SendResponse<Bytes>) {
        let id = respond.stream_id();
        // The client may have reset it meanwhile.
        let Some(head) = self.shared.wire.take_head(id.as_u32()) else { return };
        let shared = Arc::clone(&self.shared);
        let (reason, text) = match head {
            Ok(head) => {
                tokio::spawn(Stream::new(&shared, head, body, respond).run());
                return;
            }
            Err(Refusal::TooLong(error)) => {
                tokio::spawn(Stream::refused(shared, error, respond).run());
                return;
            }
            Err(Refusal::Malformed(text)) => (Reason::PROTOCOL_ERROR, text),
            Err(Refusal::OverBudget) => {
                (Reason::ENHANCE_YOUR_CALM, "the heads of requests under way take too much memory")
            }
        };
        self.shared.tell(&format!("stream {}: {text}", id.as_u32()));
        respond.send_reset(reason);
        self.refused += 1;
        if self.refused > MAX_REFUSED {
            self.h2.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
        }
    }
}

/// Tells what a client did wrong; that it left is none of that.
fn tell(service: &Service, info: &ConnectionInfo, error: &h2::Error) {
    if error.is_io() || error.reason() == Some(Reason::NO_ERROR) {
        return;
    }
    tell_text(service, info, &error.to_string());
}

fn tell_text(service: &Service, info: &ConnectionInfo, text: &str) {
    service.environment.events.emit(&Event::Message {
        level: Level::Info,
        source: "http2",
        text: &format!("{}: {text}", info.peer),
    });
}

const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
const MAX_STREAMS: u32 = 256;
const MAX_ABANDONED: usize = 256;
/// As many errors of streams as the library allows.
const MAX_REFUSED: usize = 1024;
const SHORTEST_PATIENCE: Duration = Duration::from_secs(1);
