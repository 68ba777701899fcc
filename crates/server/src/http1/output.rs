//! What is on its way to the client.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, IoSlice, Read},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;

use crate::response::{Body, BodyStream};

/// Bytes in order, and where more of them come from.
#[derive(Default)]
pub(super) struct Output {
    queue: VecDeque<Bytes>,
    source: Source,
    cut: Option<u64>,
    pub(super) written: u64,
}

/// Where the rest of a response's content comes from.
#[derive(Default)]
enum Source {
    #[default]
    Nothing,
    File(File, u64),
    Stream(Box<dyn BodyStream>),
}

impl Output {
    pub(super) fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.queue.push_back(bytes);
        }
    }

    /// Queues a response's content, of which at most `cut` bytes are sent.
    pub(super) fn push_content(&mut self, body: Body, cut: Option<u64>) {
        self.cut = cut;
        match body {
            Body::None | Body::Unread { .. } => {}
            Body::Bytes(bytes) => self.push_piece(bytes),
            Body::File { file, length } => self.source = Source::File(file, length),
            Body::Stream(stream) => self.source = Source::Stream(stream),
        }
    }

    /// Queues a piece of the content, up to the cut.
    fn push_piece(&mut self, mut piece: Bytes) {
        if let Some(left) = &mut self.cut {
            let length = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
            piece.truncate(length);
            *left -= length as u64;
            if *left == 0 {
                self.source = Source::Nothing;
            }
        }
        self.push(piece);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && matches!(self.source, Source::Nothing)
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
            let piece = match self.poll_source(cx)? {
                Poll::Ready(Some(piece)) => piece,
                // An encrypted stream keeps what the socket had no room for.
                Poll::Ready(None) => return stream.poll_flush(cx),
                Poll::Pending => {
                    ready!(stream.poll_flush(cx))?;
                    return Poll::Pending;
                }
            };
            self.push_piece(piece);
        }
    }

    /// The next piece of the content; `None` when there is none.
    fn poll_source(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<Option<Bytes>>> {
        let piece = match &mut self.source {
            Source::Nothing => None,
            Source::File(file, left) => read_block(file, left)?,
            Source::Stream(stream) => match stream.poll_next(cx) {
                Poll::Ready(piece) => piece,
                Poll::Pending => return Ok(Poll::Pending),
            },
        };
        if piece.is_none() {
            self.source = Source::Nothing;
        }
        Ok(Poll::Ready(piece))
    }
}

/// The next block of a file of which `left` bytes are to be sent.
fn read_block(file: &mut File, left: &mut u64) -> io::Result<Option<Bytes>> {
    if *left == 0 {
        return Ok(None);
    }
    let length = usize::try_from(*left).unwrap_or(FILE_BLOCK).min(FILE_BLOCK);
    let mut block = vec![0; length];
    let length = file.read(&mut block)?;
    if length == 0 {
        // The file shrank: the announced length cannot be kept.
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    *left -= length as u64;
    block.truncate(length);
    Ok(Some(Bytes::from(block)))
}

const FILE_BLOCK: usize = 512 * 1024;
const MAX_SLICES: usize = 16;
