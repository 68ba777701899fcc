//! What every connection needs of its server, whatever version of HTTP it speaks: the way from a
//! request to its handler, and the record of how it went.

use std::{
    future::poll_fn,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use proto::RequestHead;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{
    Exchange, Handler, Request, Response, ResponseWriter, SharedRouter,
    budget::Budget,
    environment::Environment,
    event::{Event, Level, RequestRecord},
    http1::Proxy,
    response::Body,
};

/// What a connection needs of its server.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) environment: Arc<Environment>,
    pub(crate) router: Arc<SharedRouter>,
    pub(crate) websocket: Option<WebSocketRoute>,
    pub(crate) http2: Http2Use,
    pub(crate) shutdown: watch::Receiver<Phase>,
    pub(crate) proxy: Arc<Proxy>,
    /// What the heads of all requests over HTTP/2 may take.
    pub(crate) http2_heads: Arc<Budget>,
}

/// Which requests go to the WebSocket handler, beside the extended CONNECT of HTTP/2.
#[derive(Clone)]
pub(crate) struct WebSocketRoute {
    pub(crate) handler: Arc<dyn Handler>,
    /// All of them.
    pub(crate) everything: bool,
    /// Those that ask for an upgrade.
    pub(crate) upgrades: bool,
}

impl WebSocketRoute {
    fn takes(&self, request: &Request, proxy: &Proxy) -> bool {
        let asks = |value: &Bytes| value.trim_ascii().eq_ignore_ascii_case(b"websocket");
        let upgrades = || request.headers().get(b"upgrade").is_some_and(asks);
        self.everything
            || request.protocol().is_some_and(|protocol| protocol == b"websocket")
            || (self.upgrades && upgrades())
            || (proxy.is_asked_for_websocket(request) && upgrades())
    }
}

/// Where HTTP/2 is spoken beside the ports that speak nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Http2Use {
    /// Without TLS, when a client begins with it (RFC 9113, section 3.3).
    pub prior_knowledge: bool,
    /// On ports for HTTPS, when a client's handshake offers it.
    pub alpn: bool,
}

/// Whether a server goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It does.
    Serving,
    /// It accepts no more connections, and finishes those that it has.
    Draining,
    /// It ends.
    Stopping,
}

impl Phase {
    /// Whether connections are to end as soon as nothing is under way on them.
    pub(crate) fn ends(self) -> bool {
        self != Self::Serving
    }

    /// Whether connections are to end whatever is under way.
    pub(crate) fn is_last(self) -> bool {
        self == Self::Stopping
    }
}

/// Completes when a connection on which no request has begun is to be closed. While the server
/// drains, a request may be on its way: the last one, which is told so.
pub(crate) async fn no_more_requests(mut shutdown: watch::Receiver<Phase>) {
    // An error means that the server is gone, which is a stop too.
    let phase = shutdown.wait_for(|phase| phase.ends()).await.map(|phase| *phase);
    if let Ok(Phase::Draining) = phase {
        let stopped = shutdown.wait_for(|phase| phase.is_last());
        let _elapsed = tokio::time::timeout(LAST_REQUEST, stopped).await;
    }
}

impl Service {
    /// Whether the next response is to be its connection's last.
    pub(crate) fn is_draining(&self) -> bool {
        *self.shutdown.borrow() == Phase::Draining
    }

    /// Answers a request, or hands it to the handler of its route, after the latency that is asked
    /// for.
    pub(crate) async fn dispatch(&self, mut request: Request, mut writer: ResponseWriter) {
        match self.route(&mut request).await {
            Routed::Answered(response) => writer.respond(response),
            Routed::To(handler) => handler.handle(Exchange { request, writer }),
        }
    }

    /// The response to a request where that is known at once, or else its handler; after the
    /// latency that is asked for.
    pub(crate) async fn route(&self, request: &mut Request) -> Routed {
        if let Some(latency) = self.environment.limits.latency {
            sleep(latency).await;
        }
        if self.is_websocket(request)
            && let Some(route) = &self.websocket
        {
            return Routed::To(Arc::clone(&route.handler));
        }
        if request.is_connect() {
            return Routed::Answered(connect());
        }
        if let Some(protocol) = request.protocol() {
            // RFC 8441, section 4.
            let message = format!("no handler speaks {}", protocol.escape_ascii());
            return Routed::Answered(Response::error(501, &message));
        }
        let router = self.router.current();
        let Some(handler) = router.route(request) else {
            return Routed::Answered(Response::error(404, ""));
        };
        match handler.answer(request) {
            Some(response) => Routed::Answered(response),
            None => Routed::To(Arc::clone(handler)),
        }
    }

    /// Whether a request goes to the WebSocket handler.
    pub(crate) fn is_websocket(&self, request: &Request) -> bool {
        self.websocket.as_ref().is_some_and(|route| route.takes(request, &self.proxy))
    }

    /// How long the handler of a request has, and the URL to tell when that is over. A WebSocket
    /// lasts as long as its client likes.
    pub(crate) fn deadline(&self, request: &Request) -> Option<(Duration, String)> {
        let limit = self.environment.limits.handler_timeout?;
        (!self.is_websocket(request)).then(|| (limit, request.display_url()))
    }

    /// Tells that a request was refused, or could not be read.
    pub(crate) fn tell_bad_request(&self, peer: SocketAddr, status: u16, message: &str) {
        self.environment.events.emit(&Event::BadRequest { peer, status, message });
    }

    /// Tells that a client was given up that took nothing.
    pub(crate) fn tell_stalled(&self, peer: SocketAddr, limit: Duration) {
        self.environment.events.emit(&Event::Message {
            level: Level::Info,
            source: "connection",
            text: &format!(
                "{peer} took nothing for {} s and was given up (--write-timeout)",
                limit.as_secs_f64()
            ),
        });
    }

    /// Tells that a handler was given up; the text is for the client too.
    pub(crate) fn tell_given_up(&self, url: &str, limit: Duration) -> String {
        let text = format!("the handler did not finish within {} s", limit.as_secs_f64());
        self.environment.events.emit(&Event::HandlerFailed { url, location: None, message: &text });
        text
    }
}

/// Where a request leads to.
pub(crate) enum Routed {
    /// Nowhere: this is the response.
    Answered(Response),
    /// To a handler that needs a way back.
    To(Arc<dyn Handler>),
}

/// What a transfer comes to, or `None` when its time was up before: time runs only while it
/// `waits` for the handler, or for a file.
pub(crate) async fn in_time<T, R>(
    limit: Duration,
    transfer: &mut T,
    poll: impl Fn(&mut T, &mut Context<'_>) -> Poll<R>,
    waits: impl Fn(&T) -> bool,
) -> Option<R> {
    let mut deadline = pin!(sleep(limit));
    let mut waited_last = true;
    let mut left = limit;
    poll_fn(|cx| {
        if let Poll::Ready(result) = poll(transfer, cx) {
            return Poll::Ready(Some(result));
        }
        let waits = waits(transfer);
        let now = Instant::now();
        match (waited_last, waits) {
            (true, false) => left = deadline.deadline().saturating_duration_since(now),
            (false, true) => deadline.as_mut().reset(now + left),
            (true, true) | (false, false) => {}
        }
        waited_last = waits;
        if waits && deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        Poll::Pending
    })
    .await
}

/// How long a draining server waits for a request on a connection where none has begun.
const LAST_REQUEST: Duration = Duration::from_secs(2);

/// The connection is its own proxy: what follows are requests to this server.
fn connect() -> Response {
    let mut response = Response::new(200, "");
    response.body = Body::None;
    response
}

/// What the record of a request says, from its complete head on.
pub(crate) struct RequestLog {
    method: Bytes,
    target: Bytes,
    peer: SocketAddr,
    started: Instant,
}

impl RequestLog {
    /// Begins a record, where records are wanted.
    pub(crate) fn begin(service: &Service, head: &RequestHead, peer: SocketAddr) -> Option<Self> {
        service.environment.events.wants_requests().then(|| Self {
            method: head.method.clone(),
            target: head.raw_target.clone(),
            peer,
            started: Instant::now(),
        })
    }

    /// Emits it.
    pub(crate) fn end(&self, service: &Service, status: Option<u16>, bytes: u64) {
        service.environment.events.emit(&Event::Request(RequestRecord {
            method: &self.method,
            target: &self.target,
            status,
            bytes,
            duration: self.started.elapsed(),
            peer: self.peer,
        }));
    }
}
