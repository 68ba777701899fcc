//! Content that is put together: bytes in memory and ranges of files, which are read when they
//! are sent.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read},
    ops::Range,
    sync::Arc,
};

use bytes::{Bytes, BytesMut};

use crate::blocking::Job;

/// Parts in order. To clone or to cut them copies no content.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    parts: VecDeque<Part>,
    length: u64,
}

/// A part; never empty.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// In memory.
    Bytes(Bytes),
    /// In a file, which may be shared.
    File(FileRange),
}

/// A range of a file.
#[derive(Debug, Clone)]
pub(crate) struct FileRange {
    pub(crate) file: Arc<File>,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Part {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(range) => range.to - range.from,
        }
    }

    /// A range that is within it.
    fn slice(&self, range: Range<u64>) -> Self {
        match self {
            // Both ends are at most `bytes.len()`, which is a usize.
            #[expect(clippy::cast_possible_truncation, reason = "bounded by a usize above")]
            Self::Bytes(bytes) => {
                Self::Bytes(bytes.slice(range.start as usize..range.end as usize))
            }
            Self::File(all) => Self::File(FileRange {
                file: Arc::clone(&all.file),
                from: all.from + range.start,
                to: all.from + range.end,
            }),
        }
    }
}

impl From<Bytes> for Parts {
    fn from(bytes: Bytes) -> Self {
        let mut parts = Self::default();
        parts.push(bytes);
        parts
    }
}

impl Parts {
    /// The first `length` bytes of a file.
    pub fn of_file(file: File, length: u64) -> Self {
        let mut parts = Self::default();
        parts.push_part(Part::File(FileRange { file: Arc::new(file), from: 0, to: length }));
        parts
    }

    /// The length of all of them.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Adds bytes.
    pub fn push(&mut self, bytes: impl Into<Bytes>) {
        self.push_part(Part::Bytes(bytes.into()));
    }

    /// Adds others behind them.
    pub fn append(&mut self, others: Self) {
        for part in others.parts {
            self.push_part(part);
        }
    }

    fn push_part(&mut self, part: Part) {
        if part.length() > 0 {
            self.length += part.length();
            self.parts.push_back(part);
        }
    }

    /// What lies in a range; less where they end before it does.
    #[must_use]
    pub fn slice(&self, range: Range<u64>) -> Self {
        let mut slice = Self::default();
        let mut start = 0;
        for part in &self.parts {
            let end = start + part.length();
            let within = range.start.max(start)..range.end.min(end);
            if within.start < within.end {
                slice.push_part(part.slice(within.start - start..within.end - start));
            }
            start = end;
        }
        slice
    }

    /// The first part.
    pub(crate) fn first(&self) -> Option<&Part> {
        self.parts.front()
    }

    /// Drops bytes from the start of the first part, at most all of it.
    pub(crate) fn advance(&mut self, length: u64) {
        let Some(first) = self.parts.pop_front() else { return };
        let length = length.min(first.length());
        self.length -= length;
        if length < first.length() {
            let rest = first.slice(length..first.length());
            self.parts.push_front(rest);
        }
    }

    /// All of it where it is one piece of memory.
    pub(crate) fn as_bytes(&self) -> Option<Bytes> {
        match self.parts.front() {
            None => Some(Bytes::new()),
            Some(Part::Bytes(bytes)) if self.parts.len() == 1 => Some(bytes.clone()),
            Some(_) => None,
        }
    }

    /// All of it at once, where none of it is in a file.
    pub(crate) fn in_memory(&self) -> Option<Bytes> {
        if let Some(bytes) = self.as_bytes() {
            return Some(bytes);
        }
        let mut all = BytesMut::new();
        for part in &self.parts {
            let Part::Bytes(bytes) = part else { return None };
            all.extend_from_slice(bytes);
        }
        Some(all.freeze())
    }

    /// Reads them from the start, as long as somebody waits for what comes of it.
    pub(crate) fn reader<'a>(self, job: &'a Job<'a>) -> impl Read + use<'a> {
        io::BufReader::with_capacity(READ_BLOCK, Reader { parts: self, job })
    }

    /// All of it in memory.
    pub(crate) fn read_whole(mut self) -> io::Result<Bytes> {
        if let Some(bytes) = self.in_memory() {
            return Ok(bytes);
        }
        let mut all = Vec::with_capacity(usize::try_from(self.length).unwrap_or_default());
        self.read_to_end(&mut all)?;
        Ok(all.into())
    }
}

/// What is read is gone.
impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match self.first() {
            None => return Ok(0),
            Some(Part::Bytes(bytes)) => (&bytes[..]).read(buffer)?,
            Some(Part::File(range)) => range.read(buffer)?,
        };
        self.advance(length as u64);
        Ok(length)
    }
}

impl FileRange {
    /// Reads from the start of the range. It is an error when the file has no more: it became
    /// shorter, and a length that was told cannot be kept.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        use std::os::unix::fs::FileExt;
        let length = buffer.len().min(usize::try_from(self.to - self.from).unwrap_or(usize::MAX));
        match self.file.read_at(&mut buffer[..length], self.from)? {
            0 if length > 0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => Ok(length),
        }
    }
}

struct Reader<'a> {
    parts: Parts,
    job: &'a Job<'a>,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.job.check()?;
        self.parts.read(buffer)
    }
}

const READ_BLOCK: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn parts() -> Parts {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let mut parts = Parts::from(Bytes::from_static(b"abc"));
        parts.append(Parts::of_file(file, 10).slice(2..8));
        parts.push(Bytes::new());
        parts.push("xyz");
        parts
    }

    #[test]
    fn parts_are_read_in_order_and_cut_where_one_likes() {
        assert_eq!(parts().length(), 12);
        assert_eq!(parts().read_whole().unwrap(), "abc234567xyz");
        assert_eq!(parts().slice(1..11).slice(1..9).read_whole().unwrap(), "c234567x");
        assert_eq!(parts().slice(4..6).read_whole().unwrap(), "34");
        assert_eq!(parts().slice(9..99).read_whole().unwrap(), "xyz");
        assert_eq!(parts().slice(5..5).length(), 0);
    }

    #[test]
    fn what_was_sent_is_gone() {
        let mut parts = parts();
        parts.advance(2);
        parts.advance(99);
        assert_eq!(parts.length(), 9);
        parts.advance(4);
        assert_eq!(parts.read_whole().unwrap(), "67xyz");
    }

    #[test]
    fn a_file_that_became_shorter_is_an_error() {
        let parts = Parts::of_file(tempfile::tempfile().unwrap(), 1);
        assert_eq!(parts.read_whole().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn only_what_is_in_memory_is_there_at_once() {
        assert_eq!(parts().in_memory(), None);
        assert_eq!(parts().slice(0..2).in_memory().unwrap(), "ab");
        assert_eq!(Parts::default().in_memory().unwrap(), "");
    }
}
