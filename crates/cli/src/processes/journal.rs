//! What a host runs, written down in memory that its supervisor can read once the host is dead.
//!
//! A file in memory with one entry for each thread that runs handlers. The host maps it, so that
//! an entry costs a few copies and no system call. That is why there can be one before each
//! handler, however short: the handler that ends a process does so before anything could be sent.

use std::{
    cmp::Reverse,
    fs::File,
    io,
    sync::atomic::{Ordering, compiler_fence},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// An entry's bytes: whether something runs; the lengths of method, target and file; when it began;
/// then these three.
pub type Entry = [u8; ENTRY];

/// The bytes of an entry.
pub const ENTRY: usize = 512;

/// How many entries there are: as many as a host can have threads.
pub const ENTRIES: usize = 8192;

/// Something that a host runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The request's method.
    pub method: Vec<u8>,
    /// The request's target.
    pub target: Vec<u8>,
    /// The handler's file; empty where it is not known.
    pub file: Vec<u8>,
    /// When it began, by the system's clock, to the millisecond.
    pub began: SystemTime,
}

/// Writes down that a handler is about to run. What is too long is cut: a target at its end, a
/// file's path at its beginning.
pub fn begin(entry: &mut Entry, method: &[u8], target: &[u8], file: &[u8]) {
    let method = &method[..method.len().min(MOST_METHOD)];
    let target = &target[..target.len().min(MOST_TARGET)];
    let file = &file[file.len().saturating_sub(MOST_FILE)..];
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let began = u64::try_from(began.as_millis()).unwrap_or(u64::MAX);
    let mut at = TEXT;
    for (place, text) in [(2, method), (4, target), (6, file)] {
        let length = u16::try_from(text.len()).unwrap_or_default();
        entry[place..place + 2].copy_from_slice(&length.to_le_bytes());
        entry[at..at + text.len()].copy_from_slice(text);
        at += text.len();
    }
    entry[8..TEXT].copy_from_slice(&began.to_le_bytes());
    mark(entry, RUNS);
}

/// Writes down the file of a handler that runs, where it is known only now.
pub fn name_file(entry: &mut Entry, file: &[u8]) {
    let file = &file[file.len().saturating_sub(MOST_FILE)..];
    let length = |place: usize| usize::from(u16::from_le_bytes([entry[place], entry[place + 1]]));
    let at = TEXT + length(2) + length(4);
    if let Some(place) = entry.get_mut(at..at + file.len()) {
        place.copy_from_slice(file);
        let length = u16::try_from(file.len()).unwrap_or_default();
        entry[6..8].copy_from_slice(&length.to_le_bytes());
    }
}

/// Writes down that it is done.
pub fn end(entry: &mut Entry) {
    mark(entry, IDLE);
}

/// Marks an entry after what was written into it.
fn mark(entry: &mut Entry, state: u8) {
    // The process may die at any place: the compiler is to keep the order.
    compiler_fence(Ordering::SeqCst);
    entry[0] = state;
    compiler_fence(Ordering::SeqCst);
}

/// Reads an entry; `None` when nothing runs there.
fn read(entry: &[u8]) -> Option<Running> {
    if *entry.first()? != RUNS {
        return None;
    }
    let length = |place: usize| {
        let length = u16::from_le_bytes([*entry.get(place)?, *entry.get(place + 1)?]);
        Some(usize::from(length))
    };
    let began = u64::from_le_bytes(entry.get(8..TEXT)?.try_into().ok()?);
    let mut rest = entry.get(TEXT..)?;
    let mut text = |place| {
        let (text, others) = rest.split_at_checked(length(place)?)?;
        rest = others;
        Some(text.to_vec())
    };
    let (method, target, file) = (text(2)?, text(4)?, text(6)?);
    Some(Running { method, target, file, began: UNIX_EPOCH + Duration::from_millis(began) })
}

/// An empty journal.
#[cfg(unix)]
pub(super) fn new() -> io::Result<File> {
    let file = shared_file("wptserve-journal")?;
    file.set_len((ENTRY * ENTRIES) as u64)?;
    Ok(file)
}

/// What a dead host ran; what began last comes first.
#[cfg(unix)]
pub(super) fn running(journal: &File) -> io::Result<Vec<Running>> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; ENTRY * ENTRIES];
    journal.read_exact_at(&mut bytes, 0)?;
    let mut running: Vec<Running> = bytes.chunks_exact(ENTRY).filter_map(read).collect();
    running.sort_by_key(|running| Reverse(running.began));
    Ok(running)
}

/// A file that only its descriptors lead to: in memory where the system has such.
#[cfg(unix)]
pub(super) fn shared_file(name: &str) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    if let Ok(file) = rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC) {
        return Ok(file.into());
    }
    // On other systems the name is for errors alone.
    tempfile::tempfile().map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))
}

const IDLE: u8 = 0;
const RUNS: u8 = 1;
const TEXT: usize = 16;
const MOST_METHOD: usize = 32;
const MOST_FILE: usize = 200;
const MOST_TARGET: usize = ENTRY - TEXT - MOST_METHOD - MOST_FILE;

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    fn entry() -> Entry {
        [0; ENTRY]
    }

    #[test]
    fn what_runs_is_read_with_the_newest_first() {
        let journal = new().unwrap();
        assert_eq!(running(&journal).unwrap(), []);
        let mut first = entry();
        begin(&mut first, b"GET", b"/a.py?x", b"/docs/a.py");
        journal.write_all_at(&first, 0).unwrap();
        std::thread::sleep(Duration::from_millis(3));
        let mut second = entry();
        begin(&mut second, b"POST", b"/b.py", b"");
        journal.write_all_at(&second, (ENTRY * (ENTRIES - 1)) as u64).unwrap();
        let found = running(&journal).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].method, b"POST");
        let Running { method, target, file, began } = &found[1];
        assert_eq!(
            (&method[..], &target[..], &file[..]),
            (&b"GET"[..], &b"/a.py?x"[..], &b"/docs/a.py"[..])
        );
        assert!(began.elapsed().unwrap() < Duration::from_secs(60));
        name_file(&mut second, b"/docs/b.py");
        journal.write_all_at(&second, (ENTRY * (ENTRIES - 1)) as u64).unwrap();
        assert_eq!(running(&journal).unwrap()[0].file, b"/docs/b.py");
        end(&mut first);
        journal.write_all_at(&first, 0).unwrap();
        assert_eq!(running(&journal).unwrap().len(), 1);
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let mut long = entry();
        let file = [&[b'd'; 500][..], b"/x.py"].concat();
        begin(&mut long, &[b'M'; 100], &[b't'; 1000], &file);
        let found = read(&long).unwrap();
        assert_eq!(found.method, [b'M'; MOST_METHOD]);
        assert_eq!(found.target, [b't'; MOST_TARGET]);
        assert_eq!(found.file.len(), MOST_FILE);
        assert!(found.file.ends_with(b"d/x.py"));
        name_file(&mut long, &file);
        assert_eq!(read(&long), Some(found));
    }

    #[test]
    fn an_entry_that_was_scribbled_over_is_no_panic() {
        for byte in 0..=u8::MAX {
            let mut scribbled = [byte; ENTRY];
            scribbled[0] = RUNS;
            let _read = read(&scribbled);
            name_file(&mut scribbled, &[1; 1000]);
        }
        assert_eq!(read(&[RUNS]), None);
        assert_eq!(read(&[]), None);
    }
}
