//! What is on its way to the client.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;

use crate::{content::Content, response::Body};

/// Bytes in order, and where more of them come from.
#[derive(Default)]
pub(super) struct Output {
    queue: VecDeque<Bytes>,
    content: Content,
    pub(super) written: u64,
}

impl Output {
    pub(super) fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.queue.push_back(bytes);
        }
    }

    /// Queues a response's content, of which at most `cut` bytes are sent.
    pub(super) fn push_content(&mut self, body: Body, cut: Option<u64>) {
        self.content = match body {
            // What is in memory goes out in one write with the head.
            Body::Bytes(mut bytes) => {
                let length = cut.and_then(|cut| usize::try_from(cut).ok()).unwrap_or(usize::MAX);
                bytes.truncate(length);
                self.push(bytes);
                Content::default()
            }
            body => Content::new(body, cut),
        };
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.content.is_done()
    }

    /// Writes until nothing is left, neither here nor in the stream.
    pub(super) fn poll_write<S: AsyncWrite>(
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
            let piece = match self.content.poll_next(cx)? {
                Poll::Ready(Some(piece)) => piece,
                // An encrypted stream keeps what the socket had no room for.
                Poll::Ready(None) => return stream.poll_flush(cx),
                Poll::Pending => {
                    ready!(stream.poll_flush(cx))?;
                    return Poll::Pending;
                }
            };
            self.push(piece);
        }
    }
}

const MAX_SLICES: usize = 16;
