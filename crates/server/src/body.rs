//! The body of a request: at hand, or arriving while the handler runs.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use bytes::{Bytes, BytesMut};

/// A request body. Readable again and again, from any position.
#[derive(Debug, Clone)]
pub enum RequestBody {
    /// All of it is here.
    Complete(Bytes),
    /// It is arriving, or it is too large for memory.
    Spooled(Arc<Spool>),
}

impl RequestBody {
    /// The announced length of the body in bytes, or what has arrived when none was announced.
    pub fn length(&self) -> u64 {
        match self {
            Self::Complete(bytes) => bytes.len() as u64,
            Self::Spooled(spool) => spool.length(),
        }
    }

    /// Up to `length` bytes from `position`, or `None` when they have yet to arrive.
    pub fn try_read_at(&self, position: u64, length: u64) -> Option<io::Result<Bytes>> {
        match self {
            Self::Complete(bytes) => Some(Ok(slice(bytes, position, length))),
            Self::Spooled(spool) => spool.try_read_at(position, length),
        }
    }

    /// One to `length` bytes from `position`, as many as have arrived; `None` when none has. Empty
    /// at the end of the body.
    pub fn try_read_some_at(&self, position: u64, length: u64) -> Option<io::Result<Bytes>> {
        match self {
            Self::Complete(bytes) => Some(Ok(slice(bytes, position, length))),
            Self::Spooled(spool) => spool.try_read_some_at(position, length),
        }
    }

    /// The same; waits for the first.
    pub fn read_some_at(&self, position: u64, length: u64) -> io::Result<Bytes> {
        self.read_at(position, 1.min(length))?;
        self.try_read_some_at(position, length).unwrap_or_else(|| Ok(Bytes::new()))
    }

    /// Up to `length` bytes from `position`; waits until they are there. Shorter only at the end
    /// of the body; an error when the client left before they came.
    pub fn read_at(&self, position: u64, length: u64) -> io::Result<Bytes> {
        match self {
            Self::Complete(bytes) => Ok(slice(bytes, position, length)),
            Self::Spooled(spool) => spool.read_at(position, length),
        }
    }
}

/// What a client sent of a body in one DATA frame of HTTP/2, or how the body ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyFrame {
    /// A frame.
    Data {
        /// What it holds; may be nothing.
        data: Bytes,
        /// Whether it ends the stream.
        last: bool,
    },
    /// The stream ended, with trailers or with the request's head.
    End,
    /// The rest will not come.
    CutShort,
}

impl RequestBody {
    /// The next frame of a body that was received over HTTP/2, each once; waits for it.
    pub fn next_frame(&self) -> io::Result<BodyFrame> {
        match self {
            Self::Complete(_) => Ok(BodyFrame::End),
            Self::Spooled(spool) => spool.next_frame(),
        }
    }

    /// Waits until nothing more will come. `false` when the end is missing.
    pub fn wait_complete(&self) -> bool {
        match self {
            Self::Complete(_) => true,
            Self::Spooled(spool) => spool.wait_complete(),
        }
    }

    /// Whether all of it is here.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Complete(_) => true,
            Self::Spooled(spool) => spool.lock().end == Some(End::Complete),
        }
    }
}

fn slice(bytes: &Bytes, position: u64, length: u64) -> Bytes {
    let size = bytes.len() as u64;
    let start = position.min(size);
    let end = start.saturating_add(length).min(size);
    // Both are at most `bytes.len()`, which is a usize.
    #[expect(clippy::cast_possible_truncation, reason = "bounded by a usize above")]
    bytes.slice(start as usize..end as usize)
}

/// A body that is being received: in memory up to [`MEMORY_LIMIT`], in an unnamed temporary file
/// beyond.
#[derive(Debug)]
pub struct Spool {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    storage: Storage,
    received: u64,
    announced: Option<u64>,
    end: Option<End>,
    /// The lengths of the frames that nobody took yet, and whether one was the last.
    frames: VecDeque<(u64, bool)>,
    /// Where the first of them begins.
    frames_from: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Complete,
    CutShort,
}

#[derive(Debug)]
enum Storage {
    Memory(BytesMut),
    File(File),
}

impl Spool {
    /// An empty spool for a body of `announced` bytes (`None`: length unknown).
    pub fn new(announced: Option<u64>) -> Self {
        Self {
            state: Mutex::new(State {
                storage: Storage::Memory(BytesMut::new()),
                received: 0,
                announced,
                end: None,
                frames: VecDeque::new(),
                frames_from: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Adds received bytes. A failure to store them ends the body.
    pub fn push(&self, data: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        let stored = state.push(data);
        if stored.is_err() {
            state.end = Some(End::CutShort);
        }
        drop(state);
        self.changed.notify_all();
        stored
    }

    /// Adds a received DATA frame of HTTP/2; the last one completes the body.
    pub(crate) fn push_frame(&self, data: &[u8], last: bool) -> io::Result<()> {
        let mut state = self.lock();
        let stored = state.push(data);
        match stored {
            Ok(()) => state.frames.push_back((data.len() as u64, last)),
            Err(_) => state.end = Some(End::CutShort),
        }
        if last {
            state.end.get_or_insert(End::Complete);
        }
        drop(state);
        self.changed.notify_all();
        stored
    }

    fn next_frame(&self) -> io::Result<BodyFrame> {
        let mut state = self.lock();
        loop {
            if let Some((length, last)) = state.frames.pop_front() {
                let from = state.frames_from;
                state.frames_from += length;
                // A body that broke off is not whole, but this frame is.
                let data = state.read_stored(from, from + length)?;
                return Ok(BodyFrame::Data { data, last });
            }
            match state.end {
                Some(End::Complete) => return Ok(BodyFrame::End),
                Some(End::CutShort) => return Ok(BodyFrame::CutShort),
                None => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn wait_complete(&self) -> bool {
        let mut state = self.lock();
        while state.end.is_none() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.end == Some(End::Complete)
    }

    /// Says that the body is complete.
    pub fn complete(&self) {
        self.end(End::Complete);
    }

    /// Says that the rest of the body will not come.
    pub fn cut_short(&self) {
        self.end(End::CutShort);
    }

    fn end(&self, end: End) {
        self.lock().end.get_or_insert(end);
        self.changed.notify_all();
    }

    /// The bytes received so far.
    pub fn received(&self) -> u64 {
        self.lock().received
    }

    fn length(&self) -> u64 {
        let state = self.lock();
        state.announced.unwrap_or(state.received)
    }

    fn try_read_at(&self, position: u64, length: u64) -> Option<io::Result<Bytes>> {
        let mut state = self.lock();
        state.has(position, length).then(|| state.read_at(position, length))
    }

    fn try_read_some_at(&self, position: u64, length: u64) -> Option<io::Result<Bytes>> {
        let mut state = self.lock();
        let there = state.received.saturating_sub(position).min(length);
        (there > 0 || state.has(position, length)).then(|| state.read_at(position, there))
    }

    fn read_at(&self, position: u64, length: u64) -> io::Result<Bytes> {
        let mut state = self.lock();
        while !state.has(position, length) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.read_at(position, length)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock with the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has(&self, position: u64, length: u64) -> bool {
        let wanted = position.saturating_add(length);
        self.end.is_some() || self.received >= self.announced.map_or(wanted, |all| wanted.min(all))
    }

    fn push(&mut self, data: &[u8]) -> io::Result<()> {
        if let Storage::Memory(memory) = &mut self.storage {
            if memory.len() + data.len() <= MEMORY_LIMIT {
                memory.extend_from_slice(data);
                self.received += data.len() as u64;
                return Ok(());
            }
            let mut file = tempfile::tempfile()?;
            file.write_all(memory)?;
            self.storage = Storage::File(file);
        }
        if let Storage::File(file) = &mut self.storage {
            // Reads move the same cursor.
            file.seek(SeekFrom::End(0))?;
            file.write_all(data)?;
            self.received += data.len() as u64;
        }
        Ok(())
    }

    fn read_at(&mut self, position: u64, length: u64) -> io::Result<Bytes> {
        let start = position.min(self.received);
        let end = start.saturating_add(length).min(self.received);
        if self.end == Some(End::CutShort) && end - start < length {
            let message = match self.announced {
                Some(all) => format!("the body ended after {} of {all} bytes", self.received),
                None => format!("the body ended early, after {} bytes", self.received),
            };
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        self.read_stored(start, end)
    }

    /// What is stored between two positions that are stored.
    fn read_stored(&mut self, start: u64, end: u64) -> io::Result<Bytes> {
        match &mut self.storage {
            Storage::Memory(memory) => {
                // `received` is the length of `memory`, so both are in it.
                #[expect(clippy::cast_possible_truncation, reason = "bounded by a usize above")]
                let range = start as usize..end as usize;
                Ok(Bytes::copy_from_slice(&memory[range]))
            }
            Storage::File(file) => {
                file.seek(SeekFrom::Start(start))?;
                let length = usize::try_from(end - start)
                    .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
                let mut data = vec![0; length];
                file.read_exact(&mut data)?;
                Ok(Bytes::from(data))
            }
        }
    }
}

/// Bodies up to this size stay in memory.
const MEMORY_LIMIT: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_large_body_goes_through_a_file_and_reads_the_same() {
        let spool = Spool::new(Some(3 * 1024 * 1024));
        let block: Vec<u8> = (0..=255).cycle().take(1024 * 1024).collect();
        for _ in 0..3 {
            spool.push(&block).unwrap();
        }
        assert!(matches!(spool.lock().storage, Storage::File(_)));
        let body = RequestBody::Spooled(Arc::new(spool));
        assert_eq!(body.length(), 3 * 1024 * 1024);
        assert_eq!(body.read_at(1024 * 1024 - 2, 4).unwrap().as_ref(), [254, 255, 0, 1]);
        assert_eq!(body.read_at(3 * 1024 * 1024 - 1, 10).unwrap().as_ref(), [255]);
    }

    #[test]
    fn a_reader_waits_for_what_has_yet_to_come() {
        let spool = Arc::new(Spool::new(Some(6)));
        spool.push(b"abc").unwrap();
        let body = RequestBody::Spooled(Arc::clone(&spool));
        assert!(body.try_read_at(2, 4).is_none());
        assert_eq!(body.try_read_some_at(2, 4).unwrap().unwrap(), "c");
        assert!(body.try_read_some_at(3, 4).is_none());
        let reader = thread::spawn(move || body.read_at(2, 100).unwrap());
        spool.push(b"def").unwrap();
        assert_eq!(reader.join().unwrap().as_ref(), b"cdef");
    }

    #[test]
    fn frames_come_once_each_and_the_body_stays_whole() {
        let spool = Spool::new(None);
        spool.push_frame(b"ab", false).unwrap();
        spool.push_frame(b"", false).unwrap();
        spool.push_frame(b"c", true).unwrap();
        let frame = |data: &'static [u8], last| BodyFrame::Data { data: data.into(), last };
        assert_eq!(spool.next_frame().unwrap(), frame(b"ab", false));
        assert_eq!(spool.next_frame().unwrap(), frame(b"", false));
        assert_eq!(spool.next_frame().unwrap(), frame(b"c", true));
        assert_eq!(spool.next_frame().unwrap(), BodyFrame::End);
        assert!(spool.wait_complete());
        assert_eq!(spool.read_at(0, 9).unwrap(), "abc");
    }

    #[test]
    fn a_client_that_leaves_ends_the_wait_with_an_error() {
        let spool = Spool::new(Some(6));
        spool.push(b"abc").unwrap();
        spool.cut_short();
        assert_eq!(spool.read_at(0, 3).unwrap().as_ref(), b"abc");
        let error = spool.read_at(0, 6).unwrap_err();
        assert_eq!(error.to_string(), "the body ended after 3 of 6 bytes");
    }
}
