//! One request over HTTP/2 and its response.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use h2::{RecvStream, SendStream, server::SendResponse};
use http::HeaderMap;
use proto::{
    HeadError, HeaderList,
    framing::expects_continue,
    http2::{self, Flags, Http2Head, Kind},
    response_head::parse_response_head,
    status,
};
use tokio::time::{Instant, Sleep, sleep};

use super::{Http2Stream, Shared, head, heads::Head, wire::Wire};
use crate::{
    Finish, Piece, Request, RequestBody, Response, ResponseWriter,
    body::Spool,
    content::Content,
    event::{Event, Level},
    outbox::{Batch, Outbox},
    service::{RequestLog, in_time},
    stall::Stall,
};

/// A request, and the way back from its handler.
pub(super) struct Stream {
    shared: Arc<Shared>,
    id: u32,
    /// Until the handler has it.
    exchange: Option<(Request, ResponseWriter)>,
    outbox: Arc<Outbox>,
    body: Option<Arriving>,
    batch: Batch,
    pieces: VecDeque<Piece>,
    output: Output,
    /// Without content whatever the handler writes: in answer to HEAD, or for its status.
    no_content: bool,
    /// How long the handler has, and the URL to tell when that is over.
    deadline: Option<(Duration, String)>,
    log: Option<RequestLog>,
    status: Option<u16>,
}

/// A body that is being received.
struct Arriving {
    stream: RecvStream,
    /// Where it goes; a tunnel's goes to who took it over.
    spool: Option<Arc<Spool>>,
    received: u64,
    /// How many frames.
    frames: u64,
    patience: Pin<Box<Sleep>>,
}

impl Arriving {
    /// Adds the frames without content that came before the next one, or before the end: the
    /// library keeps them to itself.
    fn push_empty(&self, wire: &Wire, stream: u32, last: bool) {
        let Some(spool) = &self.spool else { return };
        for _ in 0..wire.take_empty(stream, self.frames, last) {
            // There is nothing to store.
            let _stored = spool.push_frame(b"", false);
        }
    }
}

/// What is on its way out.
struct Output {
    phase: Phase,
    respond: SendResponse<Bytes>,
    send: Option<SendStream<Bytes>>,
    /// The head of a response that is written as for HTTP/1, as far as it is written.
    head: BytesMut,
    /// The handler sent an informational response.
    informed: bool,
    piece: Bytes,
    /// Whether the stream ends with `piece`.
    end: bool,
    content: Content,
    /// How the stream ends behind the content, while there is any.
    after_content: Option<Ending>,
    sent: u64,
    stall: Stall,
}

/// How a stream ends on this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// With the last byte.
    EndStream,
    /// With this error code.
    Reset(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No final head was sent.
    Open,
    /// The head was sent.
    Headed,
    /// The stream has ended on this side.
    Ended,
}

/// The client reset the stream, or is gone.
struct Gone;

impl From<h2::Error> for Gone {
    fn from(_: h2::Error) -> Self {
        Self
    }
}

impl Stream {
    /// A request whose head is complete.
    pub(super) fn new(
        shared: &Arc<Shared>,
        received: Head,
        body: RecvStream,
        respond: SendResponse<Bytes>,
    ) -> Self {
        let Head { parsed: Http2Head { head, protocol, length }, fields, taken } = received;
        let is_tunnel = protocol.is_some();
        let spool = (!is_tunnel && !body.is_end_stream()).then(|| Arc::new(Spool::new(length)));
        let (mut stream, writer) = Self::unanswered(Arc::clone(shared), respond);
        let service = &shared.service;
        let limits = service.environment.limits;
        stream.log = RequestLog::begin(service, &head, shared.info.peer);
        stream.no_content = head.method.as_ref() == b"HEAD";
        stream.body = (!body.is_end_stream()).then(|| Arriving {
            stream: body,
            spool: spool.clone(),
            received: 0,
            frames: 0,
            patience: Box::pin(sleep(limits.idle_timeout)),
        });
        if let Some((length, max)) =
            length.zip(limits.max_body).filter(|(length, max)| length > max)
        {
            let message = format!("the body has {length} bytes, of at most {max} (--max-body)");
            stream.refuse(writer, 413, &message);
            return stream;
        }
        if spool.is_some() && expects_continue(head.version, &head.headers) {
            stream.inform(&head::response_block(100, &HeaderList::new()));
        }
        let body = spool.map_or_else(|| RequestBody::Complete(Bytes::new()), RequestBody::Spooled);
        let environment = Arc::clone(&service.environment);
        let mut request = Request::new(head, body, Arc::clone(&shared.info), environment);
        let wire = Arc::clone(&shared.wire);
        request.http2 = Some(Http2Stream::new(stream.id, fields, protocol, taken, wire));
        stream.deadline = service.deadline(&request);
        stream.exchange = Some((request, writer));
        stream
    }

    /// A request whose head is longer than is taken.
    pub(super) fn refused(
        shared: Arc<Shared>,
        error: HeadError,
        respond: SendResponse<Bytes>,
    ) -> Self {
        let (stream, writer) = Self::unanswered(shared, respond);
        stream.refuse(writer, error.status(), &error.message());
        stream
    }

    fn refuse(&self, mut writer: ResponseWriter, status: u16, message: &str) {
        self.shared.service.tell_bad_request(self.shared.info.peer, status, message);
        writer.respond(Response::error(status, message));
    }

    /// A stream without a request, and the way to answer it.
    fn unanswered(shared: Arc<Shared>, respond: SendResponse<Bytes>) -> (Self, ResponseWriter) {
        let wakes = Arc::clone(&shared.service.environment.wakes);
        let (writer, outbox) = ResponseWriter::new(wakes);
        let stream = Self {
            shared,
            id: respond.stream_id().as_u32(),
            exchange: None,
            outbox,
            body: None,
            batch: Batch::default(),
            pieces: VecDeque::new(),
            output: Output::new(respond),
            no_content: false,
            deadline: None,
            log: None,
            status: None,
        };
        (stream, writer)
    }

    /// Runs until the response is on its way and the request's body is received.
    pub(super) async fn run(mut self) {
        if let Some((request, writer)) = self.exchange.take() {
            self.shared.service.dispatch(request, writer).await;
        }
        let result = self.transfer().await;
        if let Some(log) = &self.log {
            let status = self.status.or(self.batch.status);
            log.end(&self.shared.service, status, self.output.sent);
        }
        if result.is_err() && self.batch.finish.is_none() {
            self.shared.abandon(&self.outbox);
        }
        self.shared.wire.forget(self.id, result.is_err());
    }

    async fn transfer(&mut self) -> Result<(), Gone> {
        let Some((limit, url)) = self.deadline.take() else {
            return poll_fn(|cx| self.poll(cx)).await;
        };
        // Once the handler has ended, what is left is the client's time, but for files.
        let waits = |transfer: &Self| {
            transfer.batch.finish.is_none() || transfer.output.content.is_reading()
        };
        match in_time(limit, self, Self::poll, waits).await {
            Some(result) => result,
            None => self.give_up(limit, &url).await,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        loop {
            self.poll_body(cx)?;
            if self.output.phase != Phase::Ended {
                self.output.poll_reset(cx)?;
            }
            if self.poll_output(cx)?.is_pending() {
                return Poll::Pending;
            }
            if let Some(piece) = self.pieces.pop_front() {
                self.apply(piece)?;
            } else if let Some(response) = self.batch.response.take() {
                self.respond(*response)?;
            } else if let Some(finish) = self.batch.finish {
                if self.output.phase == Phase::Ended {
                    // The library forgets what it has not sent of a stream that is dropped.
                    ready!(self.shared.wire.poll_sent(self.id, cx));
                    // The client may go on sending what nobody waits for.
                    return if self.body.is_none() { Poll::Ready(Ok(())) } else { Poll::Pending };
                }
                self.finish(finish)?;
            } else {
                ready!(self.outbox.poll_take(cx, &mut self.batch));
                self.pieces.extend(self.batch.queue.drain(..));
            }
        }
    }

    /// Sends what is there; ready when there is room for more.
    fn poll_output(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, Gone> {
        loop {
            if self.output.poll_piece(&self.shared, self.id, cx)?.is_pending() {
                return Ok(Poll::Pending);
            }
            let Some(ending) = self.output.after_content else { return Ok(Poll::Ready(())) };
            match self.output.content.poll_next(cx) {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(Ok(Some(piece))) => {
                    self.output.end = ending == Ending::EndStream && self.output.content.is_done();
                    self.output.piece = piece;
                    if self.output.end {
                        self.output.after_content = None;
                    }
                }
                Poll::Ready(Ok(None)) => {
                    self.output.after_content = None;
                    match ending {
                        Ending::EndStream => self.output.end = true,
                        Ending::Reset(code) => self.reset(code),
                    }
                }
                // The file shrank: the announced length cannot be kept.
                Poll::Ready(Err(_)) => {
                    self.output.after_content = None;
                    self.reset(INTERNAL_ERROR);
                }
            }
        }
    }

    /// Sends a whole response. Nothing is added to its header list, as in the reference.
    fn respond(&mut self, response: Response) -> Result<(), Gone> {
        self.status = u16::try_from(response.status).ok();
        for informational in &response.informational {
            let block = head::response_block(informational.status, &informational.headers);
            self.inform(&block);
        }
        let cut = response.cut;
        let ending = match cut {
            Some(cut) if cut.reset => Ending::Reset(INTERNAL_ERROR),
            _ => Ending::EndStream,
        };
        self.no_content |= status::is_without_content(response.status);
        let content = if self.no_content {
            Content::default()
        } else {
            Content::new(response.body, cut.map(|cut| cut.after))
        };
        let end = content.is_done() && ending == Ending::EndStream;
        let block = head::response_block(response.status, &response.headers);
        self.send_head(block, end)?;
        if !end {
            self.output.content = content;
            self.output.after_content = Some(ending);
        }
        Ok(())
    }

    fn apply(&mut self, piece: Piece) -> Result<(), Gone> {
        match (piece, self.output.phase) {
            (Piece::Bytes(bytes), Phase::Open) => return self.read_head(&bytes),
            (Piece::Bytes(bytes), Phase::Headed) => self.output.piece = bytes,
            (Piece::Head { fields, end: false }, _) if head::is_informational(&fields) => {
                self.output.informed = true;
                self.inform(&head::block(&fields));
            }
            (Piece::Head { fields, end }, Phase::Open) => {
                self.status = fields
                    .get(b":status")
                    .and_then(|status| str::from_utf8(status).ok()?.parse().ok());
                self.no_content |=
                    self.status.is_some_and(|code| status::is_without_content(code.into()));
                return self.send_head(head::block(&fields), end || self.no_content);
            }
            (Piece::Head { fields, end: true }, Phase::Headed) => {
                self.send_trailers(&head::block(&fields))?;
            }
            // The stream ended with the head, and has no content for them to follow.
            (Piece::Head { end: true, .. }, Phase::Ended) if self.no_content => {}
            (Piece::Head { fields, end }, Phase::Headed | Phase::Ended) => {
                let flags = Flags::NONE.with(Flags::END_STREAM, end);
                self.send_headers_frame(flags, &head::block(&fields));
            }
            (Piece::Data { data, end }, Phase::Headed) => {
                self.output.piece = data;
                self.output.end = end;
            }
            // An informational response has no content, and is never the last.
            (Piece::Data { end, .. }, Phase::Open) if self.output.informed => {
                if end {
                    self.tell("the response ends without a final head");
                    self.reset(INTERNAL_ERROR);
                }
            }
            (Piece::Data { data, end }, Phase::Open) => {
                self.send_data_frames(&data, end);
                if end {
                    self.end_by_raw();
                }
            }
            (Piece::Raw { frames, counted, end }, _) => {
                self.output.sent += frames.len() as u64;
                self.shared.wire.send_raw(self.id, frames, counted);
                if end {
                    self.end_by_raw();
                }
            }
            (Piece::Reset { code }, _) => self.reset(code),
            // Nothing follows the end of a stream.
            (Piece::Bytes(_) | Piece::Data { .. }, Phase::Ended) => {}
        }
        Ok(())
    }

    /// Reads the head of a response that is written as for HTTP/1.
    fn read_head(&mut self, bytes: &Bytes) -> Result<(), Gone> {
        self.output.head.extend_from_slice(bytes);
        loop {
            match parse_response_head(&mut self.output.head) {
                Ok(None) => return Ok(()),
                Ok(Some(found)) => {
                    let block = head::response_block(i64::from(found.status), &found.headers);
                    if (100..200).contains(&found.status) {
                        self.output.informed = true;
                        self.inform(&block);
                        continue;
                    }
                    self.status = Some(found.status);
                    self.no_content |= status::is_without_content(found.status.into());
                    self.send_head(block, self.no_content)?;
                    let rest = self.output.head.split().freeze();
                    return self.apply(Piece::Bytes(rest));
                }
                Err(error) => {
                    self.tell(&error.to_string());
                    self.reset(INTERNAL_ERROR);
                    return Ok(());
                }
            }
        }
    }

    fn send_head(&mut self, block: Vec<u8>, end: bool) -> Result<(), Gone> {
        self.output.sent += block.len() as u64;
        self.shared.wire.expect_block(self.id, block.into());
        // The library's own block is one byte, which leaves its table empty.
        let send = self.output.respond.send_response(http::Response::new(()), end)?;
        self.output.send = Some(send);
        self.output.phase = if end { Phase::Ended } else { Phase::Headed };
        Ok(())
    }

    fn send_trailers(&mut self, block: &[u8]) -> Result<(), Gone> {
        self.output.sent += block.len() as u64;
        self.shared.wire.expect_block(self.id, Bytes::copy_from_slice(block));
        self.output.phase = Phase::Ended;
        match &mut self.output.send {
            Some(send) => Ok(send.send_trailers(HeaderMap::new())?),
            None => Err(Gone),
        }
    }

    /// Sends the head of an informational response.
    fn inform(&mut self, block: &[u8]) {
        self.send_headers_frame(Flags::NONE, block);
    }

    /// Sends a header block past the library.
    fn send_headers_frame(&mut self, flags: Flags, block: &[u8]) {
        self.output.sent += block.len() as u64;
        let mut frames = Vec::new();
        let limit = Some(self.shared.wire.max_frame_size());
        http2::headers(&mut frames, Kind::HEADERS, self.id, flags, block, limit);
        self.shared.wire.send_raw(self.id, frames.into(), 0);
    }

    /// Sends data past the library, which has sent no head.
    fn send_data_frames(&mut self, data: &[u8], end: bool) {
        self.output.sent += data.len() as u64;
        let mut frames = Vec::new();
        let mut chunks = data.chunks(self.shared.wire.max_frame_size()).peekable();
        if chunks.peek().is_none() {
            http2::data(&mut frames, self.id, Flags::NONE.with(Flags::END_STREAM, end), b"");
        }
        while let Some(chunk) = chunks.next() {
            let last = end && chunks.peek().is_none();
            http2::data(&mut frames, self.id, Flags::NONE.with(Flags::END_STREAM, last), chunk);
        }
        self.shared.wire.send_raw(self.id, frames.into(), data.len());
    }

    /// Resets the stream once all that was sent before is on its way.
    fn reset(&mut self, code: u32) {
        let mut frame = Vec::new();
        http2::reset(&mut frame, self.id, code);
        self.shared.wire.send_raw(self.id, frame.into(), 0);
        self.end_by_raw();
        // What the client still sends is of no use.
        self.drop_body();
    }

    /// The stream was ended past the library.
    fn end_by_raw(&mut self) {
        if self.output.phase != Phase::Ended {
            self.output.phase = Phase::Ended;
            self.shared.wire.end(self.id);
        }
    }

    /// Ends the response as the handler, which is done, asks for.
    fn finish(&mut self, finish: Finish) -> Result<(), Gone> {
        match (finish, self.output.phase) {
            (Finish::KeepAlive | Finish::Close, Phase::Headed) => self.output.end = true,
            (Finish::KeepAlive | Finish::Close, Phase::Open) if self.output.head.is_empty() => {
                return self.apply(Piece::Data { data: Bytes::new(), end: true });
            }
            (Finish::KeepAlive | Finish::Close, Phase::Open) => {
                self.tell("the response ends within its head");
                self.reset(INTERNAL_ERROR);
            }
            (Finish::Abort, Phase::Open | Phase::Headed) => self.reset(INTERNAL_ERROR),
            (_, Phase::Ended) => {}
        }
        Ok(())
    }

    fn tell(&self, text: &str) {
        self.shared.service.environment.events.emit(&Event::Message {
            level: Level::Warning,
            source: "http2",
            text: &format!("{}, stream {}: {text}", self.shared.info.peer, self.id),
        });
    }

    /// Receives while somebody waits for it.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Result<(), Gone> {
        let limits = self.shared.service.environment.limits;
        for _ in 0..FRAMES_PER_TURN {
            let Some(body) = &mut self.body else { return Ok(()) };
            if body.spool.is_none() {
                // A tunnel: nothing is received before somebody took it over and has room.
                let Some(inbox) = &self.batch.inbox else { return Ok(()) };
                if inbox.poll_room(cx).is_pending() {
                    return Ok(());
                }
            }
            let Poll::Ready(data) = body.stream.poll_data(cx) else {
                if body.spool.is_some() && body.patience.as_mut().poll(cx).is_ready() {
                    self.drop_body();
                }
                return Ok(());
            };
            match data {
                Some(Ok(data)) => {
                    body.patience.as_mut().reset(Instant::now() + limits.idle_timeout);
                    // Fails only when the stream is gone, which the next poll tells.
                    let _gone = body.stream.flow_control().release_capacity(data.len());
                    let last = body.stream.is_end_stream();
                    body.received += data.len() as u64;
                    match (&body.spool, &self.batch.inbox) {
                        (Some(_), _) if limits.max_body.is_some_and(|max| body.received > max) => {
                            return self.refuse_body();
                        }
                        (Some(spool), _) => {
                            body.push_empty(&self.shared.wire, self.id, last);
                            body.frames += 1;
                            // A failure to store it is told to who reads it.
                            let _unstored = spool.push_frame(&data, last);
                        }
                        (None, Some(inbox)) => inbox.push(&data),
                        (None, None) => {}
                    }
                    if last {
                        self.end_body();
                    }
                }
                Some(Err(_)) => {
                    self.drop_body();
                    return Err(Gone);
                }
                // Trailers, if any, are no part of what handlers see.
                None => {
                    body.push_empty(&self.shared.wire, self.id, true);
                    self.end_body();
                }
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    fn end_body(&mut self) {
        if let Some(body) = self.body.take()
            && let Some(spool) = body.spool
        {
            spool.complete();
        }
        if let Some(inbox) = &self.batch.inbox {
            inbox.end();
        }
    }

    fn drop_body(&mut self) {
        if let Some(body) = self.body.take()
            && let Some(spool) = body.spool
        {
            spool.cut_short();
        }
    }

    /// The body is longer than is allowed.
    fn refuse_body(&mut self) -> Result<(), Gone> {
        let max = self.shared.service.environment.limits.max_body.unwrap_or_default();
        let message = format!("the body has more than {max} bytes (--max-body)");
        self.shared.service.tell_bad_request(self.shared.info.peer, 413, &message);
        self.drop_body();
        self.replace_response(Response::error(413, &message))
    }

    /// Answers in place of the handler, or breaks off what it has begun.
    fn replace_response(&mut self, response: Response) -> Result<(), Gone> {
        self.outbox.set_peer_gone();
        self.batch.finish = Some(Finish::Abort);
        self.batch.response = None;
        self.pieces.clear();
        if self.output.phase == Phase::Open {
            return self.respond(response);
        }
        Ok(())
    }

    /// Ends a response whose handler took too long.
    async fn give_up(&mut self, limit: Duration, url: &str) -> Result<(), Gone> {
        let text = self.shared.service.tell_given_up(url, limit);
        self.drop_body();
        self.shared.abandon(&self.outbox);
        self.replace_response(Response::error(504, &text))?;
        poll_fn(|cx| self.poll(cx)).await
    }
}

impl Output {
    fn new(respond: SendResponse<Bytes>) -> Self {
        Self {
            phase: Phase::Open,
            respond,
            send: None,
            head: BytesMut::new(),
            informed: false,
            piece: Bytes::new(),
            end: false,
            content: Content::default(),
            after_content: None,
            sent: 0,
            stall: Stall::default(),
        }
    }

    /// Ready with an error when the client reset the stream.
    fn poll_reset(&mut self, cx: &mut Context<'_>) -> Result<(), Gone> {
        let reset = match &mut self.send {
            Some(send) => send.poll_reset(cx),
            None => self.respond.poll_reset(cx),
        };
        if reset.is_ready() { Err(Gone) } else { Ok(()) }
    }

    /// Hands the library what it has room for.
    fn poll_piece(
        &mut self,
        shared: &Shared,
        id: u32,
        cx: &mut Context<'_>,
    ) -> Result<Poll<()>, Gone> {
        loop {
            if self.piece.is_empty() && !self.end {
                return Ok(Poll::Ready(()));
            }
            let send = self.send.as_mut().ok_or(Gone)?;
            let mut room = 0;
            if !self.piece.is_empty() {
                send.reserve_capacity(self.piece.len());
                room = send.capacity();
                if room == 0 {
                    room = match send.poll_capacity(cx) {
                        Poll::Pending => {
                            give_up_when_stalled(&mut self.stall, shared, self.sent, cx)?;
                            return Ok(Poll::Pending);
                        }
                        Poll::Ready(Some(room)) => room?,
                        Poll::Ready(None) => return Err(Gone),
                    };
                }
                if room == 0 {
                    continue;
                }
            }
            let part = self.piece.split_to(room.min(self.piece.len()));
            let end = self.end && self.piece.is_empty();
            self.sent += part.len() as u64;
            shared.wire.expect_data(id, part.len());
            send.send_data(part, end)?;
            if end {
                self.end = false;
                self.phase = Phase::Ended;
            }
        }
    }
}

/// Gives a client up that takes nothing of the response: neither room on the stream nor what was
/// written to the socket.
fn give_up_when_stalled(
    stall: &mut Stall,
    shared: &Shared,
    sent: u64,
    cx: &mut Context<'_>,
) -> Result<(), Gone> {
    let limit = shared.service.environment.limits.write_timeout;
    let left = || shared.info.unacknowledged();
    if stall.poll(limit, sent, left, cx).is_ready() {
        shared.service.tell_stalled(shared.info.peer, limit);
        return Err(Gone);
    }
    Ok(())
}

/// However a response ends, nobody is left waiting for its stream: also when the server stops.
impl Drop for Stream {
    fn drop(&mut self) {
        self.outbox.set_peer_gone();
        self.drop_body();
    }
}

/// RFC 9113, section 7.
const INTERNAL_ERROR: u32 = 2;
/// How many frames of a body are taken before others have their turn.
const FRAMES_PER_TURN: usize = 32;
