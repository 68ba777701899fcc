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

/// What is on its way to the client.
#[derive(Default)]
pub(super) struct Output {
    queue: VecDeque<Bytes>,
    pub(super) file: Option<(File, u64)>,
    pub(super) written: u64,
}

impl Output {
    pub(super) fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.queue.push_back(bytes);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.file.is_none()
    }

    /// Writes until nothing is left.
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

const FILE_BLOCK: usize = 512 * 1024;
const MAX_SLICES: usize = 16;
