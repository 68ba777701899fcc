//! A response's content on its way out, piece by piece.

use std::{
    fs::File,
    io::{self, Read},
    task::{Context, Poll, ready},
};

use bytes::Bytes;

use crate::response::{Body, BodyStream};

/// What is left of a response's content.
#[derive(Default)]
pub(crate) struct Content {
    source: Source,
    cut: Option<u64>,
}

/// Where it comes from.
#[derive(Default)]
enum Source {
    #[default]
    Nothing,
    Bytes(Bytes),
    File(File, u64),
    Stream(Box<dyn BodyStream>),
}

impl Content {
    /// A response's content, of which at most `cut` bytes are sent.
    pub(crate) fn new(body: Body, cut: Option<u64>) -> Self {
        let source = match body {
            Body::None | Body::Unread { .. } => Source::Nothing,
            Body::Bytes(bytes) if bytes.is_empty() => Source::Nothing,
            Body::Bytes(bytes) => Source::Bytes(bytes),
            Body::File { file, length } => Source::File(file, length),
            Body::Stream(stream) => Source::Stream(stream),
        };
        let source = if cut == Some(0) { Source::Nothing } else { source };
        Self { source, cut }
    }

    /// Whether nothing is left for sure.
    pub(crate) fn is_done(&self) -> bool {
        match self.source {
            Source::Nothing | Source::File(_, 0) => true,
            Source::Bytes(_) | Source::File(..) | Source::Stream(_) => false,
        }
    }

    /// What is left of a file, for a stream that can send it without reading it first. Nobody asks
    /// for pieces of it meanwhile.
    pub(crate) fn file(&mut self) -> Option<FileLeft<'_>> {
        match &mut self.source {
            Source::File(file, left) => {
                let file = FileLeft { file, left, cut: self.cut.as_mut() };
                (file.length() > 0).then_some(file)
            }
            Source::Nothing | Source::Bytes(_) | Source::Stream(_) => None,
        }
    }

    /// The next piece; `None` when there is none.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        let piece = match &mut self.source {
            Source::Nothing => None,
            Source::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                self.source = Source::Nothing;
                Some(bytes)
            }
            Source::File(file, left) => read_block(file, left)?,
            Source::Stream(stream) => ready!(stream.poll_next(cx)),
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

/// A file that is to be sent from its cursor on.
pub(crate) struct FileLeft<'a> {
    /// The file.
    pub(crate) file: &'a File,
    left: &'a mut u64,
    cut: Option<&'a mut u64>,
}

impl FileLeft<'_> {
    /// How many bytes of it are left to send.
    pub(crate) fn length(&self) -> u64 {
        self.cut.as_ref().map_or(*self.left, |cut| (*self.left).min(**cut))
    }

    /// Counts bytes that were sent past the cursor. None at all means that the file shrank: the
    /// announced length cannot be kept.
    pub(crate) fn sent(&mut self, length: usize) -> io::Result<()> {
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *self.left -= length as u64;
        if let Some(cut) = &mut self.cut {
            **cut -= length as u64;
        }
        Ok(())
    }
}

/// The next block of a file of which `left` bytes are to be sent.
fn read_block(file: &mut File, left: &mut u64) -> io::Result<Option<Bytes>> {
    if *left == 0 {
        return Ok(None);
    }
    let length = FILE_BLOCK.min(*left);
    let mut block = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.take(length).read_to_end(&mut block)?;
    FileLeft { file, left, cut: None }.sent(block.len())?;
    Ok(Some(Bytes::from(block)))
}

const FILE_BLOCK: u64 = 256 * 1024;
