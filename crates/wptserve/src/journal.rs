//! What this host runs, written where its supervisor reads it once the process is dead.

use std::{
    cell::OnceCell,
    fs::File,
    io,
    os::fd::AsRawFd,
    ptr,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use cli::journal::{self, ENTRIES, ENTRY, Entry};
use pyo3::{prelude::*, types::IntoPyDict};
use server::Request;

/// The journal of this process, if it keeps one.
static JOURNAL: OnceLock<Journal> = OnceLock::new();

thread_local! {
    /// This thread's entry.
    static PLACE: Place = Place::default();
}

struct Journal {
    /// `ENTRIES` entries, mapped for as long as the process lives.
    entries: *mut Entry,
    /// How many entries were ever in use.
    used: AtomicUsize,
    /// The entries of threads that have ended.
    free: Mutex<Vec<usize>>,
    /// Where a crash leaves its last words; open for as long as the process lives.
    _last_words: File,
}

// SAFETY: an entry is written by one thread at a time, the one that has its place.
unsafe impl Send for Journal {}
// SAFETY: as above; the other fields are `Sync`.
unsafe impl Sync for Journal {}

/// Keeps a journal from now on. Python's own handler of crashes writes into `last_words`.
pub(crate) fn keep(journal: &File, last_words: File) -> PyResult<()> {
    let entries = map(journal)?;
    Python::attach(|py| {
        let options = [("all_threads", false)].into_py_dict(py)?;
        let enable = py.import("faulthandler")?.getattr("enable")?;
        enable.call((last_words.as_raw_fd(),), Some(&options)).map(drop)
    })?;
    let (used, free) = (AtomicUsize::new(0), Mutex::default());
    // There is one supervisor, which asks once.
    let _again = JOURNAL.set(Journal { entries, used, free, _last_words: last_words });
    Ok(())
}

fn map(journal: &File) -> io::Result<*mut Entry> {
    use rustix::mm::{MapFlags, ProtFlags, mmap};
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new mapping at an address of the system's choice touches no memory that is in use.
    // The file has this length, and nobody makes it shorter.
    let start = unsafe {
        mmap(ptr::null_mut(), ENTRY * ENTRIES, protection, MapFlags::SHARED, journal, 0)?
    };
    Ok(start.cast())
}

/// Writes down that this thread runs the handler of a request, until it is dropped.
pub(crate) fn runs(request: &Request, file: &[u8]) -> Runs {
    let place = JOURNAL.get().and_then(|_| PLACE.with(Place::number));
    if let Some(place) = place {
        with_entry(place, |entry| {
            journal::begin(entry, &request.head.method, &request.head.raw_target, file);
        });
    }
    Runs(place)
}

/// Writes down the file of the handler that this thread runs.
pub(crate) fn name_file(file: &[u8]) {
    if JOURNAL.get().is_some()
        && let Some(place) = PLACE.with(Place::number)
    {
        with_entry(place, |entry| journal::name_file(entry, file));
    }
}

/// A handler runs.
pub(crate) struct Runs(Option<usize>);

impl Drop for Runs {
    fn drop(&mut self) {
        if let Some(place) = self.0 {
            with_entry(place, journal::end);
        }
    }
}

fn with_entry(place: usize, write: impl FnOnce(&mut Entry)) {
    if let Some(journal) = JOURNAL.get() {
        // SAFETY: the place is within the mapping and this thread's own, and nothing else refers to
        // its entry; `write` calls nothing that comes here. The supervisor reads the file only once
        // this process is dead.
        write(unsafe { &mut *journal.entries.add(place) });
    }
}

/// The place of a thread's entry, which others get when the thread has ended.
#[derive(Default)]
struct Place(OnceCell<Option<usize>>);

impl Place {
    fn number(&self) -> Option<usize> {
        *self.0.get_or_init(|| {
            let journal = JOURNAL.get()?;
            if let Some(place) = journal.free().pop() {
                return Some(place);
            }
            let place = journal.used.fetch_add(1, Ordering::Relaxed);
            // Beyond, threads go unnoticed; the pool has no more.
            (place < ENTRIES).then_some(place)
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let (Some(journal), Some(Some(place))) = (JOURNAL.get(), self.0.get()) {
            journal.free().push(*place);
        }
    }
}

impl Journal {
    fn free(&self) -> MutexGuard<'_, Vec<usize>> {
        // Nothing panics while it holds this.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
