//! One HTTP/1 connection: requests in, responses out, in order.

use std::{
    fs::File,
    future::poll_fn,
    io::{self, IoSlice, Read},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes, BytesMut};
use proto::{
    BodyFraming, ChunkedDecoder, ChunkedStep, HeadParser, RequestHead,
    framing::{expects_continue, keeps_alive},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use crate::{
    ConnectionInfo, Exchange, Finish, Request, RequestBody, Response, ResponseWriter, Router,
    body::Spool,
    environment::Environment,
    event::{Event, RequestRecord},
    outbox::{Batch, Outbox},
    response::Body,
    takeover::Inbox,
};

/// What a connection needs of its server.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) environment: Arc<Environment>,
    pub(crate) router: Arc<Router>,
    pub(crate) shutdown: tokio::sync::watch::Receiver<bool>,
}

/// Serves a connection until it closes.
pub(crate) async fn serve<S>(stream: S, info: ConnectionInfo, service: Service)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = Connection {
        stream,
        input: BytesMut::with_capacity(READ_BLOCK),
        heads: HeadParser::default(),
        info: Arc::new(info),
        service,
    };
    if let Ending::Linger = connection.run().await {
        connection.linger().await;
    }
}

struct Connection<S> {
    stream: S,
    input: BytesMut,
    heads: HeadParser,
    info: Arc<ConnectionInfo>,
    service: Service,
}

/// How a connection ends.
enum Ending {
    /// The client still has to read the last bytes.
    Linger,
    /// Nobody is there any more.
    Gone,
}

/// What follows a request.
enum Next {
    Request,
    End(Ending),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
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
        loop {
            match self.heads.parse(&mut self.input) {
                Ok(Some(head)) => return Ok(head),
                Ok(None) => {}
                Err(error) => {
                    return Err(self.refuse(error.status(), &error.message()).await);
                }
            }
            let limits = self.service.environment.limits;
            let idle = self.input.is_empty();
            let patience = if idle { limits.idle_timeout } else { limits.head_timeout };
            self.input.reserve(READ_BLOCK);
            let read = timeout(patience, self.stream.read_buf(&mut self.input));
            let read = if idle {
                tokio::select! {
                    biased;
                    read = read => read,
                    _ = self.service.shutdown.wait_for(|stop| *stop) => return Err(Ending::Gone),
                }
            } else {
                read.await
            };
            match read {
                Ok(Ok(0)) | Err(_) if idle => return Err(Ending::Gone),
                Ok(Ok(0)) => {
                    let message = "the connection ended within a request's head";
                    return Err(self.refuse(400, message).await);
                }
                Ok(Ok(_)) => {}
                Ok(Err(_)) => return Err(Ending::Gone),
                Err(_) => {
                    let message = "the request's head did not arrive in time";
                    return Err(self.refuse(408, message).await);
                }
            }
        }
    }

    /// Answers a request that cannot be served, and ends the connection.
    async fn refuse(&mut self, status: u16, message: &str) -> Ending {
        let peer = self.info.peer;
        self.service.environment.events.emit(&Event::BadRequest { peer, status, message });
        let response = Response::error(status, message);
        let mut bytes = response.encode_head(true);
        if let Body::Bytes(body) = &response.body {
            bytes.extend_from_slice(body);
        }
        match self.stream.write_all(&bytes).await {
            Ok(()) => Ending::Linger,
            Err(_) => Ending::Gone,
        }
    }

    /// One request and its response.
    async fn exchange(&mut self, head: RequestHead) -> Next {
        let started = Instant::now();
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
            && self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_err()
        {
            return Next::End(Ending::Gone);
        }
        let (body, arriving) = match self.begin_body(framing).await {
            Ok(begun) => begun,
            Err((status, message)) => return Next::End(self.refuse(status, &message).await),
        };

        let keep_alive = keeps_alive(head.version, &head.headers);
        let no_content = head.method.as_ref() == b"HEAD";
        let log = self
            .service
            .environment
            .events
            .wants_requests()
            .then(|| (head.method.clone(), head.raw_target.clone()));
        let wakes = Arc::clone(&self.service.environment.wakes);
        let (writer, outbox) = ResponseWriter::new(wakes);
        let environment = Arc::clone(&self.service.environment);
        let mut request = Request::new(head, body, Arc::clone(&self.info), environment);
        if request.head.method.as_ref() == b"CONNECT" {
            writer.respond(connect());
        } else {
            match self.service.router.route(&mut request).map(Arc::clone) {
                Some(handler) => handler.handle(Exchange { request, writer }),
                None => writer.respond(Response::error(404, "")),
            }
        }

        let mut transfer = Transfer {
            connection: self,
            outbox,
            arriving,
            batch: Batch::default(),
            output: Output::default(),
            no_content,
            close: !keep_alive,
            read_closed: false,
        };
        let outcome = transfer.run().await;
        let (status, bytes) = (transfer.batch.status, transfer.output.written);
        let close = transfer.close;
        drop(transfer);
        if let Some((method, target)) = log {
            self.service.environment.events.emit(&Event::Request(RequestRecord {
                method: &method,
                target: &target,
                status,
                bytes,
                duration: started.elapsed(),
                peer: self.info.peer,
            }));
        }
        match outcome {
            Ok(()) if close => Next::End(Ending::Linger),
            Ok(()) => Next::Request,
            Err(_) => Next::End(Ending::Gone),
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
                let mut arriving = Arriving { spool: Arc::clone(&spool), left: length };
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

    /// Closes so that the client sees the last bytes: a close with unread input would reset the
    /// connection and drop them (RFC 9112, section 9.6).
    async fn linger(mut self) {
        if self.stream.shutdown().await.is_err() {
            return;
        }
        let drain = async {
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

/// The connection is its own proxy: what follows are requests to this server.
fn connect() -> Response {
    let mut response = Response::new(200, "");
    response.body = Body::None;
    response
}

/// A body of known length whose end has yet to come.
struct Arriving {
    spool: Arc<Spool>,
    left: u64,
}

impl Arriving {
    /// Moves what belongs to the body out of the input. `true` when the body is complete.
    fn feed(&mut self, input: &mut BytesMut) -> bool {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len());
        let data = input.split_to(length);
        self.left -= length as u64;
        let stored = self.spool.push(&data).is_ok();
        if stored && self.left == 0 {
            self.spool.complete();
        }
        self.left == 0
    }
}

/// Drives one response: takes what the handler writes, and meanwhile receives the rest of the
/// request's body, or the raw bytes of a connection that was taken over.
struct Transfer<'a, S> {
    connection: &'a mut Connection<S>,
    outbox: Arc<Outbox>,
    arriving: Option<Arriving>,
    batch: Batch,
    output: Output,
    no_content: bool,
    /// Whether the connection closes after this response.
    close: bool,
    read_closed: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transfer<'_, S> {
    /// Runs until the response is on its way and the request's body is received. An error means
    /// that nobody is there any more.
    async fn run(&mut self) -> io::Result<()> {
        let result = match self.connection.service.environment.limits.handler_timeout {
            None => poll_fn(|cx| self.poll(cx)).await,
            Some(limit) => match timeout(limit, poll_fn(|cx| self.poll(cx))).await {
                Ok(result) => result,
                Err(_) => self.give_up(limit).await,
            },
        };
        if result.is_err() || self.close {
            self.outbox.set_peer_gone();
            if let Some(arriving) = &self.arriving {
                arriving.spool.cut_short();
            }
        }
        result
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut progress = self.poll_input(cx)?;
            match self.output.poll_write(Pin::new(&mut self.connection.stream), cx) {
                Poll::Pending => {}
                Poll::Ready(written) => {
                    written?;
                    if let Some(finish) = self.batch.finish {
                        self.close |= finish != Finish::KeepAlive || self.batch.inbox.is_some();
                        // A connection that closes does not wait for the rest of the body.
                        if self.close || self.arriving.is_none() {
                            return Poll::Ready(Ok(()));
                        }
                    } else if self.outbox.poll_take(cx, &mut self.batch).is_ready() {
                        self.take_batch();
                        progress = true;
                    }
                }
            }
            if !progress {
                return Poll::Pending;
            }
        }
    }

    fn take_batch(&mut self) {
        for bytes in self.batch.bytes.drain(..) {
            self.output.push(bytes);
        }
        if let Some(response) = self.batch.response.take() {
            self.batch.status = Some(response.status);
            self.close |= response
                .headers
                .get(b"connection")
                .is_some_and(|value| value.eq_ignore_ascii_case(b"close"));
            self.output.push(Bytes::from(response.encode_head(self.close)));
            if !self.no_content {
                match response.body {
                    Body::None => {}
                    Body::Bytes(bytes) => self.output.push(bytes),
                    Body::File { file, length } => self.output.file = Some((file, length)),
                }
            }
        }
    }

    /// Reads while somebody waits for it: the request's body, or a handler that took the
    /// connection over. Whatever else the client sends stays for later. `true` on progress.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let inbox = self.batch.inbox.clone();
        if let Some(inbox) = &inbox {
            self.deliver(inbox);
        }
        if self.read_closed || (self.arriving.is_none() && inbox.is_none()) {
            return Ok(false);
        }
        if let Some(inbox) = &inbox
            && inbox.poll_room(cx).is_pending()
        {
            return Ok(false);
        }
        let connection = &mut *self.connection;
        connection.input.reserve(BODY_BLOCK);
        let read = pin!(connection.stream.read_buf(&mut connection.input));
        match read.poll(cx) {
            Poll::Pending => return Ok(false),
            Poll::Ready(read) => {
                if read? == 0 {
                    self.read_closed = true;
                    // What is missing of the body never comes, and no request follows.
                    self.close = true;
                    if let Some(arriving) = self.arriving.take() {
                        arriving.spool.cut_short();
                    }
                    if let Some(inbox) = &inbox {
                        inbox.end();
                    }
                    return Ok(true);
                }
            }
        }
        if let Some(arriving) = &mut self.arriving
            && arriving.feed(&mut self.connection.input)
        {
            self.arriving = None;
        }
        if let Some(inbox) = &inbox {
            self.deliver(inbox);
        }
        Ok(true)
    }

    fn deliver(&mut self, inbox: &Inbox) {
        if !self.connection.input.is_empty() && self.arriving.is_none() {
            inbox.push(&self.connection.input);
            self.connection.input.clear();
        }
    }

    /// Ends a response whose handler took too long: with an error when nothing was sent yet.
    async fn give_up(&mut self, limit: Duration) -> io::Result<()> {
        self.close = true;
        self.batch.finish = Some(Finish::Abort);
        let untouched = self.output.written == 0 && self.output.is_empty();
        let text = format!("a handler did not finish within {} s", limit.as_secs_f64());
        self.connection.service.environment.events.emit(&Event::Message {
            level: crate::event::Level::Error,
            source: "handler",
            text: &text,
        });
        if !untouched {
            return Ok(());
        }
        self.batch.status = Some(504);
        self.batch.response = Some(Box::new(Response::error(504, &text)));
        self.take_batch();
        let (output, stream) = (&mut self.output, &mut self.connection.stream);
        poll_fn(|cx| output.poll_write(Pin::new(&mut *stream), cx)).await
    }
}

/// What is on its way to the client.
#[derive(Default)]
struct Output {
    queue: std::collections::VecDeque<Bytes>,
    file: Option<(File, u64)>,
    written: u64,
}

impl Output {
    fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.queue.push_back(bytes);
        }
    }

    fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.file.is_none()
    }

    /// Writes until nothing is left.
    fn poll_write<S: AsyncWrite>(
        &mut self,
        mut stream: Pin<&mut S>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            while let Some(front) = self.queue.front() {
                let mut written = if self.queue.len() == 1 {
                    ready!(stream.as_mut().poll_write(cx, front))?
                } else {
                    let mut slices = [IoSlice::new(&[]); MAX_SLICES];
                    let count = self.queue.len().min(MAX_SLICES);
                    for (slice, bytes) in slices.iter_mut().zip(&self.queue) {
                        *slice = IoSlice::new(bytes);
                    }
                    ready!(stream.as_mut().poll_write_vectored(cx, &slices[..count]))?
                };
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.written += written as u64;
                while let Some(front) = self.queue.front_mut() {
                    if written < front.len() {
                        front.advance(written);
                        break;
                    }
                    written -= front.len();
                    self.queue.pop_front();
                }
            }
            if !self.read_file()? {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Queues the next block of the file. `false` when there is none.
    fn read_file(&mut self) -> io::Result<bool> {
        let Some((file, left)) = &mut self.file else { return Ok(false) };
        let length = usize::try_from(*left).unwrap_or(FILE_BLOCK).min(FILE_BLOCK);
        let mut block = vec![0; length];
        let length = file.read(&mut block)?;
        if length == 0 {
            if *left > 0 {
                // The file shrank: the announced length cannot be kept.
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.file = None;
            return Ok(false);
        }
        *left -= length as u64;
        if *left == 0 {
            self.file = None;
        }
        block.truncate(length);
        self.queue.push_back(Bytes::from(block));
        Ok(true)
    }
}

const READ_BLOCK: usize = 4096;
const BODY_BLOCK: usize = 64 * 1024;
const FILE_BLOCK: usize = 512 * 1024;
const MAX_SLICES: usize = 16;
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 * 1024 * 1024;
