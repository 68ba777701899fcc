//! One HTTP/1 connection: requests in, responses out, in order.

mod output;
mod patience;
mod presence;
mod proxy;
mod transfer;
mod transport;
mod tunnel;

use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use proto::{
    BodyFraming, ChunkedDecoder, ChunkedStep, HeadError, HeadParser, RequestHead,
    framing::{expects_continue, keeps_alive},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

use crate::{
    ConnectionInfo, Encryption, Exchange, Request, RequestBody, Response, ResponseWriter,
    body::Spool,
    service::{RequestLog, Routed, Service},
    socket_table,
    tls::HANDSHAKE_RECORD,
};

use output::{Output, Queued};
use patience::Patience;
use presence::Presence;
pub(crate) use proxy::Proxy;
use transfer::{Arriving, Sent, Transfer};
pub(crate) use transport::Transport;

/// What follows on a stream that is handed back, with what the client has sent of it.
pub(crate) enum Follows {
    /// The handshake of TLS: a CONNECT request was answered.
    Encryption,
    /// HTTP/2.
    Http2,
}

/// Serves a connection until it closes, or until something else than HTTP/1 follows.
pub(crate) async fn serve<S: Transport>(
    stream: S,
    info: ConnectionInfo,
    service: Service,
) -> Option<(S, BytesMut, Follows)> {
    let mut connection = Connection::new(stream, info, service);
    let follows = match connection.run().await {
        Ending::Linger => {
            connection.linger().await;
            return None;
        }
        Ending::Idle => {
            connection.close().await;
            return None;
        }
        Ending::Gone => return None,
        Ending::Encrypt => Follows::Encryption,
        Ending::Http2 => Follows::Http2,
    };
    Some((connection.stream, connection.input, follows))
}

/// Answers a client that speaks without TLS to a port where TLS is spoken.
pub(crate) async fn refuse_plain<S: Transport>(stream: S, info: ConnectionInfo, service: Service) {
    let text = "This port speaks HTTPS; the request came without TLS. Use an https: URL.\n";
    let response = Response::new(400, text).with("Content-Type", "text/plain");
    let mut connection = Connection::new(stream, info, service);
    let message = "the client speaks without TLS to a port where TLS is spoken";
    if let Ending::Linger = connection.refuse_with(response, 400, message).await {
        connection.linger().await;
    }
}

struct Connection<S> {
    stream: S,
    input: BytesMut,
    output: Output,
    heads: HeadParser,
    patience: Patience,
    presence: Presence,
    info: Arc<ConnectionInfo>,
    service: Service,
}

/// How a connection ends.
enum Ending {
    /// The client still has to read the last bytes.
    Linger,
    /// Nothing is under way.
    Idle,
    /// The handshake of TLS comes next.
    Encrypt,
    /// The client speaks HTTP/2.
    Http2,
    /// Nobody is there any more.
    Gone,
}

/// What came of a wait for the client.
enum Read {
    /// So many bytes; none at the end of the stream.
    Bytes(io::Result<usize>),
    /// Nothing, and nobody waits any longer.
    Nothing,
}

/// What follows a request.
enum Next {
    Request,
    End(Ending),
}

impl<S: Transport> Connection<S> {
    fn new(stream: S, info: ConnectionInfo, service: Service) -> Self {
        let limit = service.environment.limits.idle_timeout;
        Self {
            stream,
            input: BytesMut::with_capacity(READ_BLOCK),
            output: Output::default(),
            heads: HeadParser::default(),
            patience: Patience::new(service.shutdown.clone(), limit),
            presence: Presence::default(),
            info: Arc::new(info),
            service,
        }
    }

    async fn run(&mut self) -> Ending {
        loop {
            let head = match self.read_head().await {
                Ok(head) => head,
                Err(ending) => return ending,
            };
            match self.exchange(head).await {
                Next::Request => {}
                Next::End(ending) => return ending,
            }
        }
    }

    /// The next request's head. Between requests a shutdown ends the connection.
    async fn read_head(&mut self) -> Result<RequestHead, Ending> {
        let mut begun: Option<Instant> = None;
        loop {
            if self.service.http2.prior_knowledge
                && self.info.encryption == Encryption::None
                && self.begins_http2()
            {
                return Err(Ending::Http2);
            }
            match self.heads.parse(&mut self.input) {
                Ok(Some(head)) => return Ok(head),
                Ok(None) => {}
                Err(_) if self.begins_tls() => return Err(self.refuse_tls().await),
                Err(error) => {
                    return Err(self.refuse(error.status(), &error.message()).await);
                }
            }
            // It has no line that would end.
            if self.begins_tls() {
                return Err(self.refuse_tls().await);
            }
            let limits = self.service.environment.limits;
            // Empty lines in front of a request are no part of it (RFC 9112, section 2.2).
            let idle = self.input.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
            self.patience.begin(if idle {
                limits.idle_timeout
            } else {
                let begun = *begun.get_or_insert_with(Instant::now);
                limits.head_timeout.saturating_sub(begun.elapsed())
            });
            match poll_fn(|cx| self.poll_read(idle, cx)).await {
                Read::Bytes(Ok(0)) | Read::Nothing if idle => return Err(Ending::Idle),
                Read::Bytes(Ok(0)) => {
                    let message = "the connection ended within a request's head";
                    return Err(self.refuse(400, message).await);
                }
                Read::Bytes(Ok(_)) => {}
                Read::Bytes(Err(_)) => return Err(Ending::Gone),
                Read::Nothing => {
                    let message = "the request's head did not arrive in time";
                    return Err(self.refuse(408, message).await);
                }
            }
        }
    }

    /// Reads as long as there is patience, and between requests until the server stops.
    fn poll_read(&mut self, idle: bool, cx: &mut Context<'_>) -> Poll<Read> {
        self.input.reserve(READ_BLOCK);
        let read = pin!(self.stream.read_buf(&mut self.input));
        if let Poll::Ready(read) = read.poll(cx) {
            return Poll::Ready(Read::Bytes(read));
        }
        let over = (idle && self.patience.poll_stopped(cx).is_ready())
            || self.patience.poll_elapsed(cx).is_ready();
        if over { Poll::Ready(Read::Nothing) } else { Poll::Pending }
    }

    /// Writes until nothing is left.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.poll_write(Pin::new(&mut self.stream), cx)
    }

    /// Whether the client begins with the preface of HTTP/2, which up to its middle is a head.
    fn begins_http2(&self) -> bool {
        self.input.starts_with(b"PRI * HTTP/2.0\r\n\r\n")
    }

    /// Answers a request that cannot be served, and ends the connection.
    async fn refuse(&mut self, status: u16, message: &str) -> Ending {
        self.refuse_with(Response::error(status, message), status, message).await
    }

    /// Answers a handshake as any malformed request; the log knows better.
    async fn refuse_tls(&mut self) -> Ending {
        let error = HeadError::BadRequestLine;
        let response = Response::error(error.status(), &error.message());
        let message = "the client speaks TLS to a port for requests without TLS";
        self.refuse_with(response, error.status(), message).await
    }

    async fn refuse_with(&mut self, response: Response, status: u16, message: &str) -> Ending {
        self.service.tell_bad_request(self.info.peer, status, message);
        match self.answer(response, true, false).await.result {
            Ok(()) => Ending::Linger,
            Err(_) => Ending::Gone,
        }
    }

    /// Sends a whole response.
    async fn answer(&mut self, response: Response, close: bool, no_content: bool) -> Sent {
        self.output.begin();
        let Queued { status, close, reset } =
            self.output.push_response(response, close, no_content);
        let result = self.deliver().await;
        Sent { status, bytes: self.output.written, close, reset, result }
    }

    /// Writes until nothing is left, or until nobody waits for it.
    async fn deliver(&mut self) -> io::Result<()> {
        self.watch();
        poll_fn(|cx| {
            if let Poll::Ready(written) = self.poll_write(cx) {
                return Poll::Ready(written);
            }
            let sending = self.poll_ahead(cx)?;
            self.poll_lost(sending, true, cx).map(Err)
        })
        .await
    }

    /// Waits until the client's side has what was written, for a while: a reset drops what has yet
    /// to arrive.
    async fn arrived(&mut self) {
        let arrives = async {
            while socket_table::end(self.info.local, self.info.peer)
                .is_some_and(|end| end.unacknowledged > 0)
            {
                sleep(ARRIVAL_LOOK).await;
            }
        };
        let _elapsed = timeout(LINGER, arrives).await;
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let write = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        timeout(self.service.environment.limits.write_timeout, write).await?
    }

    /// Whether the client began a handshake where none is awaited. Two bytes tell: the type of
    /// the record and the major version (RFC 8446, section 5.1).
    fn begins_tls(&self) -> bool {
        self.input.starts_with(&[HANDSHAKE_RECORD, 3])
    }

    /// One request and its response.
    async fn exchange(&mut self, head: RequestHead) -> Next {
        let log = RequestLog::begin(&self.service, &head, self.info.peer);
        let framing = match BodyFraming::of(&head.headers, head.version) {
            Ok(framing) => framing,
            Err(error) => {
                return Next::End(self.refuse(error.status(), &error.to_string()).await);
            }
        };
        let max_body = self.service.environment.limits.max_body;
        if let (BodyFraming::Length(length), Some(max)) = (framing, max_body)
            && length > max
        {
            let message = format!("the body has {length} bytes, of at most {max} (--max-body)");
            return Next::End(self.refuse(413, &message).await);
        }
        if expects_continue(head.version, &head.headers)
            && self.write(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_err()
        {
            return Next::End(Ending::Gone);
        }
        let (body, arriving) = match self.begin_body(framing).await {
            Ok(begun) => begun,
            Err((status, message)) => return Next::End(self.refuse(status, &message).await),
        };

        if let Some(foreign) = self.service.proxy.foreign(&head, &self.info) {
            let message = format!("{foreign} is not a host and port of this server");
            return Next::End(self.refuse(502, &message).await);
        }
        if let Some(address) = self.service.proxy.tunnel(&head, self.info.local) {
            return Next::End(self.tunnel(&head, address).await);
        }

        let is_last = self.service.is_draining();
        let keep_alive = keeps_alive(head.version, &head.headers) && !is_last;
        let no_content = head.method.as_ref() == b"HEAD";
        let environment = Arc::clone(&self.service.environment);
        let mut request = Request::new(head, body, Arc::clone(&self.info), environment);
        request.is_last = is_last;
        let deadline = self.service.deadline(&request);
        let connects = request.is_connect() && !self.service.is_websocket(&request);
        let sent = match (self.service.route(&mut request).await, arriving) {
            (Routed::Answered(response), None) => {
                others_first().await;
                self.answer(response, !keep_alive, no_content).await
            }
            (routed, arriving) => {
                let wakes = Arc::clone(&self.service.environment.wakes);
                let (mut writer, outbox) = ResponseWriter::new(wakes);
                match routed {
                    Routed::Answered(response) => writer.respond(response),
                    Routed::To(handler) => handler.handle(Exchange { request, writer }),
                }
                let mut transfer = Transfer::new(self, outbox, arriving, no_content, !keep_alive);
                transfer.deadline = deadline;
                transfer.run().await
            }
        };
        let Sent { status, bytes, close, reset, result } = sent;
        if let Some(log) = log {
            log.end(&self.service, status, bytes);
        }
        match result {
            Ok(()) if reset => {
                self.arrived().await;
                self.stream.reset_on_close();
                Next::End(Ending::Gone)
            }
            Ok(()) if connects && self.info.encryption == Encryption::AfterConnect => {
                Next::End(Ending::Encrypt)
            }
            Ok(()) if close => Next::End(Ending::Linger),
            Ok(()) => Next::Request,
            Err(_) => {
                // What is cut short must not look whole, and what nobody takes must not stay.
                self.stream.reset_on_close();
                Next::End(Ending::Gone)
            }
        }
    }

    /// The body as far as it is known before the handler starts. A body of known length goes on
    /// arriving while the handler runs; a chunked one is received first, since its length is a
    /// part of what handlers read.
    async fn begin_body(
        &mut self,
        framing: BodyFraming,
    ) -> Result<(RequestBody, Option<Arriving>), (u16, String)> {
        match framing {
            BodyFraming::None => Ok((RequestBody::Complete(Bytes::new()), None)),
            BodyFraming::Length(length) => {
                let at_hand = self.input.len() as u64;
                if let Ok(whole) = usize::try_from(length)
                    && at_hand >= length
                {
                    return Ok((RequestBody::Complete(self.input.split_to(whole).freeze()), None));
                }
                let spool = Arc::new(Spool::new(Some(length)));
                let patience = self.service.environment.limits.idle_timeout;
                let mut arriving = Arriving {
                    spool: Arc::clone(&spool),
                    left: length,
                    patience: Box::pin(sleep(patience)),
                };
                arriving.feed(&mut self.input);
                Ok((RequestBody::Spooled(spool), Some(arriving)))
            }
            BodyFraming::Chunked => Ok((self.read_chunked().await?, None)),
        }
    }

    async fn read_chunked(&mut self) -> Result<RequestBody, (u16, String)> {
        let limits = self.service.environment.limits;
        let spool = Spool::new(None);
        let mut decoder = ChunkedDecoder::new();
        loop {
            match decoder.decode(&mut self.input) {
                Ok(ChunkedStep::Data(data)) => {
                    let received = spool.received() + data.len() as u64;
                    if let Some(max) = limits.max_body
                        && received > max
                    {
                        let message = format!("the body has more than {max} bytes (--max-body)");
                        return Err((413, message));
                    }
                    spool
                        .push(&data)
                        .map_err(|error| (500, format!("the body cannot be stored: {error}")))?;
                }
                Ok(ChunkedStep::Done(_trailers)) => {
                    spool.complete();
                    return Ok(RequestBody::Spooled(Arc::new(spool)));
                }
                Ok(ChunkedStep::NeedMore) => {
                    self.input.reserve(READ_BLOCK);
                    let read = self.stream.read_buf(&mut self.input);
                    match timeout(limits.idle_timeout, read).await {
                        Ok(Ok(1..)) => {}
                        Ok(_) => {
                            return Err((400, "the connection ended within the body".to_owned()));
                        }
                        Err(_) => {
                            return Err((408, "the body did not arrive in time".to_owned()));
                        }
                    }
                }
                Err(error) => return Err((400, error.to_string())),
            }
        }
    }

    /// Closes a connection that nobody waits for.
    async fn close(mut self) {
        // The client may be gone already, or too slow to be told.
        let _untold = timeout(LINGER, self.stream.shutdown()).await;
    }

    /// Closes so that the client sees the last bytes: a close with unread input would reset the
    /// connection and drop them (RFC 9112, section 9.6).
    async fn linger(mut self) {
        let drain = async {
            if self.stream.shutdown().await.is_err() {
                return;
            }
            let mut left = LINGER_BYTES;
            while left > 0 {
                self.input.clear();
                self.input.reserve(READ_BLOCK);
                match self.stream.read_buf(&mut self.input).await {
                    Ok(0) | Err(_) => return,
                    Ok(length) => left = left.saturating_sub(length),
                }
            }
        };
        // When the time is up the connection closes all the same.
        let _elapsed = timeout(LINGER, drain).await;
    }
}

/// Lets the tasks run that are ready now. Answers that are made one after the other and then sent
/// one after the other wake a client that reads them in turn once, not once for each. (Tokio's
/// `yield_now` would ask the system for events in between.)
async fn others_first() {
    let mut waited = false;
    poll_fn(|cx| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

const READ_BLOCK: usize = 4096;
const ARRIVAL_LOOK: Duration = Duration::from_millis(5);
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 * 1024 * 1024;
