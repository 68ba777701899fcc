//! The socket of an HTTP/2 connection as the HTTP/2 library sees it: frames pass through
//! [`Wire`] both ways.

use std::{
    io::{self, IoSlice},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use proto::http2::{Flags, FrameHeader, HEADER_LENGTH, Kind, PREFACE};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::{
    heads::HeadReader,
    wire::{Outgoing, Wire, wanted},
};
use crate::{ConnectionInfo, stall::Stall};

pub(super) struct Transport<S> {
    stream: S,
    wire: Arc<Wire>,
    input: Input,
    output: Output,
    patience: Patience,
}

/// How long a client may take nothing of what is written.
struct Patience {
    limit: Duration,
    info: Arc<ConnectionInfo>,
    stall: Stall,
    /// How much was written so far.
    written: u64,
}

/// What the client sends.
struct Input {
    heads: HeadReader,
    /// Frames in place of those that were read, ahead of what is in the buffer.
    replaced: BytesMut,
    buffer: BytesMut,
    /// How much at the buffer's start may be handed on.
    seen: usize,
    /// How much of what is to come belongs to a frame that was seen, or to the preface.
    passing: usize,
    /// Nothing more is handed on.
    failed: bool,
    ended: bool,
}

/// What goes to the client.
#[derive(Default)]
struct Output {
    buffer: BytesMut,
    /// The header of the frame that the library is writing, as far as it is written.
    header: Vec<u8>,
    frame: Option<Frame>,
    /// Between HEADERS and its last CONTINUATION nothing else may stand.
    in_block: bool,
}

/// A frame that the library is writing.
struct Frame {
    header: FrameHeader,
    left: usize,
    fate: Outgoing,
    /// The payload of one that is replaced.
    replaced: Vec<u8>,
}

impl<S> Transport<S> {
    /// A transport over a stream from which `received` was read already. A write of which the client
    /// takes nothing for `limit` is an error.
    pub(super) fn new(
        stream: S,
        received: BytesMut,
        wire: Arc<Wire>,
        heads: HeadReader,
        info: Arc<ConnectionInfo>,
        limit: Duration,
    ) -> Self {
        let input = Input {
            heads,
            replaced: BytesMut::new(),
            buffer: received,
            seen: 0,
            passing: PREFACE.len(),
            failed: false,
            ended: false,
        };
        let patience = Patience { limit, info, stall: Stall::default(), written: 0 };
        Self { stream, wire, input, output: Output::default(), patience }
    }
}

/// Nobody waits for what a connection that is over did not send.
impl<S> Drop for Transport<S> {
    fn drop(&mut self) {
        self.wire.close();
    }
}

impl Input {
    /// Looks at the frames that are at hand.
    fn look(&mut self, wire: &Wire) {
        while !self.failed {
            let rest = &mut self.buffer[self.seen..];
            let passed = self.passing.min(rest.len());
            self.seen += passed;
            self.passing -= passed;
            let rest = &mut rest[passed..];
            let Some((bytes, payload)) = rest.split_first_chunk_mut::<HEADER_LENGTH>() else {
                break;
            };
            let mut header = FrameHeader::decode(bytes);
            let length = header.length as usize;
            if HeadReader::reads(header) {
                // What came before it goes first.
                if payload.len() < length || self.seen > 0 {
                    break;
                }
                if let Err(failure) =
                    self.heads.take(header, &payload[..length], wire, &mut self.replaced)
                {
                    wire.fail(failure);
                    self.failed = true;
                }
                self.buffer.advance(HEADER_LENGTH + length);
                continue;
            }
            let wanted = wanted(header);
            if payload.len() < wanted {
                break;
            }
            wire.incoming(&mut header, &mut payload[..wanted]);
            bytes[3] = header.kind.0;
            self.passing = HEADER_LENGTH + length;
        }
    }

    /// Hands on what was looked at, as far as there is room for it.
    fn hand_on(&mut self, target: &mut ReadBuf<'_>) {
        let length = self.replaced.len().min(target.remaining());
        target.put_slice(&self.replaced[..length]);
        self.replaced.advance(length);
        if self.replaced.is_empty() {
            let length = self.seen.min(target.remaining());
            target.put_slice(&self.buffer[..length]);
            self.buffer.advance(length);
            self.seen -= length;
        }
    }
}

impl Output {
    /// Takes what the library writes.
    fn take(&mut self, mut bytes: &[u8], wire: &Wire) {
        while !bytes.is_empty() {
            let Some(frame) = &mut self.frame else {
                let length = (HEADER_LENGTH - self.header.len()).min(bytes.len());
                self.header.extend_from_slice(&bytes[..length]);
                bytes = &bytes[length..];
                if let Ok(header) = <&[u8; HEADER_LENGTH]>::try_from(&self.header[..]) {
                    let header = FrameHeader::decode(header);
                    self.begin(header, wire);
                }
                continue;
            };
            let (payload, rest) = bytes.split_at(frame.left.min(bytes.len()));
            bytes = rest;
            frame.left -= payload.len();
            match frame.fate {
                Outgoing::Pass => self.buffer.extend_from_slice(payload),
                Outgoing::Drop => {}
                Outgoing::Replace { .. } => frame.replaced.extend_from_slice(payload),
            }
            if frame.left == 0 {
                self.end(wire);
            }
        }
    }

    fn begin(&mut self, header: FrameHeader, wire: &Wire) {
        if !self.in_block {
            wire.take_ready(&mut self.buffer, None);
        }
        let fate = wire.outgoing(header);
        if matches!(fate, Outgoing::Pass) {
            self.buffer.extend_from_slice(&self.header);
        }
        self.header.clear();
        let left = header.length as usize;
        self.frame = Some(Frame { header, left, fate, replaced: Vec::new() });
        if left == 0 {
            self.end(wire);
        }
    }

    fn end(&mut self, wire: &Wire) {
        let Some(Frame { header, fate, replaced, .. }) = self.frame.take() else { return };
        if matches!(header.kind, Kind::HEADERS | Kind::PUSH_PROMISE | Kind::CONTINUATION) {
            self.in_block = !header.flags.contains(Flags::END_HEADERS);
        }
        if let Outgoing::Replace { block, limit, flags } = fate {
            let mut frames = Vec::with_capacity(block.len() + HEADER_LENGTH);
            Outgoing::encode(&block, limit, flags, header.stream, &replaced, &mut frames);
            self.buffer.extend_from_slice(&frames);
        }
        wire.sent(header);
    }

    fn poll_write_out<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        patience: &mut Patience,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.buffer.is_empty() {
            let Poll::Ready(written) = Pin::new(&mut *stream).poll_write(cx, &self.buffer)? else {
                let Patience { limit, info, stall, written } = patience;
                ready!(stall.poll(*limit, *written, || info.unacknowledged(), cx));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            patience.written += written as u64;
            self.buffer.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Transport<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        target: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, wire, input, .. } = self.get_mut();
        loop {
            input.look(wire);
            if !input.replaced.is_empty() || input.seen > 0 {
                input.hand_on(target);
                return Poll::Ready(Ok(()));
            }
            if input.failed {
                // The connection's task, which is at it, finds why and ends it.
                return Poll::Pending;
            }
            if input.ended {
                // A frame that is cut short.
                input.seen = input.buffer.len();
                input.hand_on(target);
                return Poll::Ready(Ok(()));
            }
            input.buffer.reserve(READ_BLOCK);
            let read = pin!(stream.read_buf(&mut input.buffer));
            input.ended = ready!(read.poll(cx))? == 0;
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Transport<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, wire, output, patience, .. } = self.get_mut();
        if output.buffer.len() >= WRITE_BLOCK {
            ready!(output.poll_write_out(stream, patience, cx))?;
        }
        for slice in slices {
            output.take(slice, wire);
        }
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, wire, output, patience, .. } = self.get_mut();
        let between = output.frame.is_none() && output.header.is_empty() && !output.in_block;
        if between {
            wire.take_ready(&mut output.buffer, Some(cx));
        }
        ready!(output.poll_write_out(stream, patience, cx))?;
        Pin::new(stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

const READ_BLOCK: usize = 16 * 1024;
/// How much waits to be written in one go.
const WRITE_BLOCK: usize = 64 * 1024;
