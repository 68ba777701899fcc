//! One response on its way out, and the rest of its request on its way in.

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::AsyncReadExt,
    time::{Instant, Sleep},
};

use super::{Connection, Transport, output::Queued, presence::Sending};
use crate::{
    Finish, Response,
    body::Spool,
    outbox::{Batch, Outbox, Piece},
    service::in_time,
    takeover::Inbox,
};

/// A body of known length whose end has yet to come.
pub(super) struct Arriving {
    pub(super) spool: Arc<Spool>,
    pub(super) left: u64,
    /// Ends when nothing has come for too long.
    pub(super) patience: Pin<Box<Sleep>>,
}

impl Arriving {
    /// Moves what belongs to the body out of the input. `true` when the body is complete.
    pub(super) fn feed(&mut self, input: &mut BytesMut) -> bool {
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
#[expect(clippy::struct_excessive_bools, reason = "independent facts, not one state")]
pub(super) struct Transfer<'a, S> {
    connection: &'a mut Connection<S>,
    outbox: Arc<Outbox>,
    arriving: Option<Arriving>,
    batch: Batch,
    no_content: bool,
    /// How long the handler may take, and the request's URL for the log.
    pub(super) deadline: Option<(Duration, String)>,
    /// Whether the connection closes after this response.
    close: bool,
    /// Whether it closes by a reset.
    reset: bool,
    read_closed: bool,
}

/// How a response went.
pub(super) struct Sent {
    /// The status code, where it is known.
    pub(super) status: Option<u16>,
    /// The bytes that were written, head included.
    pub(super) bytes: u64,
    /// Whether the connection is to close.
    pub(super) close: bool,
    /// Whether it is to be reset.
    pub(super) reset: bool,
    /// An error when nobody is there any more.
    pub(super) result: io::Result<()>,
}

impl<'a, S: Transport> Transfer<'a, S> {
    /// A response to a request whose body may still be `arriving`.
    pub(super) fn new(
        connection: &'a mut Connection<S>,
        outbox: Arc<Outbox>,
        arriving: Option<Arriving>,
        no_content: bool,
        close: bool,
    ) -> Self {
        Self {
            connection,
            outbox,
            arriving,
            batch: Batch::default(),
            no_content,
            deadline: None,
            close,
            reset: false,
            read_closed: false,
        }
    }

    /// Runs until the response is on its way and the request's body is received.
    pub(super) async fn run(mut self) -> Sent {
        self.connection.output.begin();
        self.connection.watch();
        let result = self.transfer().await;
        Sent {
            status: self.batch.status,
            bytes: self.connection.output.written,
            close: self.close,
            reset: self.reset,
            result,
        }
    }

    async fn transfer(&mut self) -> io::Result<()> {
        let Some((limit, url)) = self.deadline.take() else {
            return poll_fn(|cx| self.poll(cx)).await;
        };
        // Once the handler has ended, what is left is the client's time, but for files.
        let waits = |transfer: &Self| {
            transfer.batch.finish.is_none() || transfer.connection.output.is_reading()
        };
        match in_time(limit, self, Self::poll, waits).await {
            Some(result) => result,
            None => self.give_up(limit, &url).await,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut progress = self.poll_input(cx)?;
            match self.connection.poll_write(cx) {
                Poll::Pending => {}
                Poll::Ready(written) => {
                    written?;
                    if let Some(finish) = self.batch.finish {
                        self.close |= finish != Finish::KeepAlive || self.batch.inbox.is_some();
                        // A response that is broken off must not look whole.
                        self.reset |= finish == Finish::Abort && self.connection.output.written > 0;
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
                return self.poll_lost(cx);
            }
        }
    }

    /// Ready with an error once nobody waits for the response any more.
    fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sending = if self.read_closed {
            Sending::Ended
        } else if let Some(inbox) = &self.batch.inbox {
            if inbox.poll_room(cx).is_ready() { Sending::On } else { Sending::Ahead }
        } else if self.arriving.is_some() {
            Sending::On
        } else {
            self.connection.poll_ahead(cx)?
        };
        let limited = !self.batch.may_stall;
        self.connection.poll_lost(sending, limited, cx).map(Err)
    }

    fn take_batch(&mut self) {
        for piece in self.batch.queue.drain(..) {
            // Frames have no meaning here, and nothing that is answered with HTTP/1 sends any.
            if let Piece::Bytes(bytes) = piece {
                self.connection.output.push(bytes);
            }
        }
        if let Some(response) = self.batch.response.take() {
            let output = &mut self.connection.output;
            let Queued { status, close, reset } =
                output.push_response(*response, self.close, self.no_content);
            (self.batch.status, self.close, self.reset) = (status, close, reset);
        }
    }

    /// Reads while somebody waits for it: the request's body, or a handler that took the
    /// connection over. Whatever else the client sends stays for later. `true` on progress.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let inbox = self.batch.inbox.clone();
        if let Some(inbox) = &inbox {
            if self.read_closed {
                inbox.end();
            }
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
            Poll::Pending => {
                let stalled = self
                    .arriving
                    .as_mut()
                    .is_some_and(|arriving| arriving.patience.as_mut().poll(cx).is_ready());
                if stalled {
                    self.end_of_input();
                }
                return Ok(stalled);
            }
            Poll::Ready(read) => {
                if read? == 0 {
                    self.end_of_input();
                    return Ok(true);
                }
            }
        }
        if let Some(arriving) = &mut self.arriving {
            let patience = self.connection.service.environment.limits.idle_timeout;
            arriving.patience.as_mut().reset(Instant::now() + patience);
            if arriving.feed(&mut self.connection.input) {
                self.arriving = None;
            }
        }
        if let Some(inbox) = &inbox {
            self.deliver(inbox);
        }
        Ok(true)
    }

    /// What is missing of the body never comes, and no request follows.
    fn end_of_input(&mut self) {
        self.read_closed = true;
        self.close = true;
        if let Some(arriving) = self.arriving.take() {
            arriving.spool.cut_short();
        }
        if let Some(inbox) = &self.batch.inbox {
            inbox.end();
        }
    }

    fn deliver(&mut self, inbox: &Inbox) {
        if !self.connection.input.is_empty() && self.arriving.is_none() {
            inbox.push(&self.connection.input);
            self.connection.input.clear();
        }
    }

    /// Ends a response whose handler took too long: with an error when nothing was sent yet.
    async fn give_up(&mut self, limit: Duration, url: &str) -> io::Result<()> {
        self.close = true;
        self.batch.finish = Some(Finish::Abort);
        let output = &self.connection.output;
        let untouched = output.written == 0 && output.is_empty();
        let text = self.connection.service.tell_given_up(url, limit);
        if !untouched {
            return Ok(());
        }
        self.batch.status = Some(504);
        self.batch.response = Some(Box::new(Response::error(504, &text)));
        self.take_batch();
        self.connection.deliver().await
    }
}

/// However a response ends, nobody is left waiting for its connection: also when the server
/// stops.
impl<S> Drop for Transfer<'_, S> {
    fn drop(&mut self) {
        self.outbox.set_peer_gone();
        if let Some(arriving) = &self.arriving {
            arriving.spool.cut_short();
        }
    }
}

const BODY_BLOCK: usize = 64 * 1024;
