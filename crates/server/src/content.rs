//! A response's content on its way out, piece by piece.

use std::{
    fs::File,
    io,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;

use crate::{
    blocking::{self, Asked},
    page_cache,
    parts::{FileRange, Part, Parts},
    response::{Body, BodyStream},
};

/// What is left of a response's content.
#[derive(Default)]
pub(crate) struct Content {
    source: Source,
    cut: Option<u64>,
    /// A block of the file that is next, while another thread reads it.
    reading: Option<Asked<io::Result<Bytes>>>,
}

/// Where it comes from.
#[derive(Default)]
enum Source {
    #[default]
    Nothing,
    Parts(Parts),
    Stream(Box<dyn BodyStream>),
}

impl Content {
    /// A response's content, of which at most `cut` bytes are sent.
    pub(crate) fn new(body: Body, cut: Option<u64>) -> Self {
        let source = match body {
            Body::None | Body::Unread { .. } => Source::Nothing,
            Body::Bytes(bytes) => Source::Parts(bytes.into()),
            Body::Parts(parts) => Source::Parts(parts),
            Body::Stream(stream) => Source::Stream(stream),
        };
        let source = if cut == Some(0) { Source::Nothing } else { source };
        Self { source, cut, reading: None }
    }

    /// Whether nothing is left for sure.
    pub(crate) fn is_done(&self) -> bool {
        match &self.source {
            Source::Nothing => true,
            Source::Parts(parts) => parts.length() == 0,
            Source::Stream(_) => false,
        }
    }

    /// Whether the next piece is being read from a file: nobody but the server is waited for.
    pub(crate) fn is_reading(&self) -> bool {
        match &self.source {
            Source::Stream(stream) => stream.is_reading(),
            Source::Nothing | Source::Parts(_) => self.reading.is_some(),
        }
    }

    /// What is left of a file, for a stream that can send it without reading it first. Nobody asks
    /// for pieces of it meanwhile.
    pub(crate) fn file(&mut self) -> Option<FileLeft<'_>> {
        if self.reading.is_some() {
            return None;
        }
        match &mut self.source {
            Source::Parts(parts) if matches!(parts.first(), Some(Part::File(_))) => {
                Some(FileLeft { parts, cut: self.cut.as_mut() })
            }
            Source::Nothing | Source::Parts(_) | Source::Stream(_) => None,
        }
    }

    /// The next piece; `None` when there is none.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        let piece = match &mut self.source {
            Source::Nothing => None,
            Source::Parts(parts) => ready!(poll_parts(parts, &mut self.reading, cx))?,
            Source::Stream(stream) => ready!(stream.poll_next(cx))?,
        };
        let Some(mut piece) = piece else {
            self.source = Source::Nothing;
            return Poll::Ready(Ok(None));
        };
        if let Some(left) = &mut self.cut {
            let length = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
            piece.truncate(length);
            *left -= length as u64;
            if *left == 0 {
                self.source = Source::Nothing;
            }
        }
        Poll::Ready(Ok(Some(piece)))
    }
}

/// The next piece of parts, which is taken off them.
fn poll_parts(
    parts: &mut Parts,
    reading: &mut Option<Asked<io::Result<Bytes>>>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Option<Bytes>>> {
    let piece = match (parts.first(), &mut *reading) {
        (_, Some(asked)) => {
            let read = ready!(asked.poll(cx));
            *reading = None;
            read??
        }
        (None, None) => return Poll::Ready(Ok(None)),
        (Some(Part::Bytes(bytes)), None) => bytes.clone(),
        (Some(Part::File(range)), None) => {
            if let Some(block) = block_at_once(range)? {
                block
            } else {
                let range = range.clone();
                *reading = Some(blocking::FILES.ask(move || read_block(&range))?);
                return poll_parts(parts, reading, cx);
            }
        }
    };
    parts.advance(piece.len() as u64);
    Poll::Ready(Ok(Some(piece)))
}

/// The next block of a file, if it can be had at once.
fn block_at_once(range: &FileRange) -> io::Result<Option<Bytes>> {
    let mut block = vec![0; block_length(range)];
    match page_cache::read_at_once(&range.file, &mut block, range.from) {
        // Another thread finds out what is the matter.
        Ok(0) => Ok(None),
        Ok(length) => {
            block.truncate(length);
            Ok(Some(block.into()))
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// The next block of a file, once it is read.
fn read_block(range: &FileRange) -> io::Result<Bytes> {
    let mut block = vec![0; block_length(range)];
    let length = range.read(&mut block)?;
    block.truncate(length);
    Ok(block.into())
}

fn block_length(range: &FileRange) -> usize {
    usize::try_from(range.to - range.from).unwrap_or(usize::MAX).min(FILE_BLOCK)
}

/// A file that is to be sent.
pub(crate) struct FileLeft<'a> {
    parts: &'a mut Parts,
    cut: Option<&'a mut u64>,
}

impl FileLeft<'_> {
    /// What can be sent without a wait for a disk: how many bytes of which file, from where on.
    pub(crate) fn at_once(&self) -> Option<(Arc<File>, u64, u64)> {
        let Some(Part::File(range)) = self.parts.first() else { return None };
        let left = range.to - range.from;
        let wanted = self.cut.as_ref().map_or(left, |cut| left.min(**cut)).min(MOST_AT_ONCE);
        let length = page_cache::length_at_once(&range.file, range.from, wanted);
        (length > 0).then(|| (Arc::clone(&range.file), range.from, length))
    }

    /// Counts bytes that were sent. None at all means that the file shrank: the announced length
    /// cannot be kept.
    pub(crate) fn sent(&mut self, length: usize) -> io::Result<()> {
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.parts.advance(length as u64);
        if let Some(cut) = &mut self.cut {
            **cut -= length as u64;
        }
        Ok(())
    }
}

/// How much of a file is read at once: as much is kept for each client that is behind.
const FILE_BLOCK: usize = 128 * 1024;
/// How much of a file is sent by one call.
const MOST_AT_ONCE: u64 = 1024 * 1024;
