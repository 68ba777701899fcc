//! What is on its way to the client.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};

use super::Transport;
use crate::{Response, content::Content, response::Body};

/// What is known of a response once it is queued.
pub(super) struct Queued {
    /// The status code, where it is one.
    pub(super) status: Option<u16>,
    /// Whether the connection closes behind it.
    pub(super) close: bool,
    /// Whether it closes by a reset.
    pub(super) reset: bool,
}

/// Bytes in order, and where more of them come from.
#[derive(Default)]
pub(super) struct Output {
    queue: VecDeque<Bytes>,
    content: Content,
    /// How many bytes of the present response are written, its head included.
    pub(super) written: u64,
    /// Whether the last write went as far as there is something to write.
    exhausted: bool,
}

impl Output {
    /// Begins a response: whatever is left of the one before is dropped.
    pub(super) fn begin(&mut self) {
        self.queue.clear();
        self.content = Content::default();
        self.written = 0;
    }

    pub(super) fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.queue.push_back(bytes);
        }
    }

    /// Queues a response, whose content is left out in answer to HEAD. `close` says whether the
    /// connection closes after it in any case; it is announced.
    pub(super) fn push_response(
        &mut self,
        response: Response,
        close: bool,
        no_content: bool,
    ) -> Queued {
        let close = close || response.closes_connection();
        let queued = Queued {
            status: u16::try_from(response.status).ok(),
            close: close || response.cut.is_some(),
            reset: response.cut.is_some_and(|cut| cut.reset),
        };
        let cut = response.cut.map(|cut| cut.after);
        let behind = match &response.body {
            Body::Bytes(bytes) if bytes.len() <= SHORT => bytes.len(),
            _ => 0,
        };
        let mut start = Vec::with_capacity(HEAD + behind);
        response.encode_head(close, &mut start);
        self.content = match response.body {
            _ if no_content => Content::default(),
            // What is in memory goes out in one write with the head.
            Body::Bytes(mut bytes) => {
                let length = cut.and_then(|cut| usize::try_from(cut).ok()).unwrap_or(usize::MAX);
                bytes.truncate(length);
                if bytes.len() <= SHORT {
                    start.extend_from_slice(&bytes);
                    bytes.clear();
                }
                self.push(start.into());
                self.push(bytes);
                return queued;
            }
            body => Content::new(body, cut),
        };
        self.push(start.into());
        queued
    }

    /// Whether what holds up the last write is the client, not what is yet to be made.
    pub(super) fn waits_for_client(&self) -> bool {
        !self.exhausted
    }

    /// Whether a file is being read for it.
    pub(super) fn is_reading(&self) -> bool {
        self.content.is_reading()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.content.is_done()
    }

    /// Writes until nothing is left, neither here nor in the stream.
    pub(super) fn poll_write<S: Transport>(
        &mut self,
        mut stream: Pin<&mut S>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.exhausted = false;
        loop {
            while let Some(front) = self.queue.front() {
                let mut written = if self.queue.len() == 1 {
                    // A head need not be a packet of its own when a file follows.
                    let more = S::SENDS_FILES && self.content.file().is_some();
                    ready!(stream.as_mut().poll_send(cx, front, more))?
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
            if S::SENDS_FILES
                && let Some(mut left) = self.content.file()
                && let Some((file, position, length)) = left.at_once()
            {
                let sent = ready!(stream.poll_send_file(cx, &file, position, length))?;
                left.sent(sent)?;
                self.written += sent as u64;
                continue;
            }
            let piece = match self.content.poll_next(cx)? {
                Poll::Ready(Some(piece)) => piece,
                // An encrypted stream keeps what the socket had no room for.
                Poll::Ready(None) => {
                    ready!(stream.poll_flush(cx))?;
                    self.exhausted = true;
                    return Poll::Ready(Ok(()));
                }
                Poll::Pending => {
                    ready!(stream.poll_flush(cx))?;
                    self.exhausted = true;
                    return Poll::Pending;
                }
            };
            self.push(piece);
        }
    }
}

const MAX_SLICES: usize = 16;
/// What a usual head fits in.
const HEAD: usize = 256;
/// Content up to this size is copied behind the head: one buffer is cheaper to write than two.
const SHORT: usize = 16 * 1024;
