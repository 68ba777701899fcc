//! Files of the document root in memory, as long as they do not change.

use std::{
    collections::{HashMap, HashSet},
    ffi::{OsStr, OsString},
    fs::{self, File, Metadata},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;

/// Keeps the content of small files, and which `.headers` files a folder has. Whatever it keeps
/// is checked against the file system's time stamps every time it is asked for.
#[derive(Default)]
pub struct FileCache {
    files: Mutex<Files>,
    folders: Mutex<HashMap<PathBuf, Known>>,
}

#[derive(Default)]
struct Files {
    entries: HashMap<PathBuf, Entry>,
    bytes: usize,
    clock: u64,
}

struct Entry {
    stamp: Stamp,
    data: Bytes,
    used: u64,
}

struct Known {
    modified: SystemTime,
    names: Arc<HashSet<OsString>>,
}

/// What tells one content of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    size: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Option<Self> {
        Some(Self { modified: metadata.modified().ok()?, size: metadata.len() })
    }
}

/// A file's content.
pub enum Content {
    /// All of it.
    Small(Bytes),
    /// Too large to keep: to be read while it is sent.
    Large(File),
}

/// The names of the `.headers` files of a folder.
pub enum Folder {
    /// These, and no others.
    Known(Arc<HashSet<OsString>>),
    /// To be looked for one by one.
    Unknown,
}

impl Folder {
    /// Whether the folder has the file at `path`, which is directly in it.
    pub fn has(&self, path: &Path) -> bool {
        match self {
            Self::Known(names) => path.file_name().is_some_and(|name| names.contains(name)),
            Self::Unknown => path.exists(),
        }
    }
}

impl FileCache {
    /// The content of a file whose metadata was just read.
    pub fn content(&self, path: &Path, metadata: &Metadata) -> io::Result<Content> {
        if metadata.len() > LARGEST_FILE {
            return File::open(path).map(Content::Large);
        }
        let stamp = Stamp::of(metadata);
        if let Some(stamp) = stamp
            && let Some(data) = self.files().get(path, stamp)
        {
            return Ok(Content::Small(data));
        }
        let mut file = File::open(path)?;
        let before = file.metadata()?;
        let mut data = Vec::with_capacity(usize::try_from(before.len()).unwrap_or_default() + 1);
        file.read_to_end(&mut data)?;
        let data = Bytes::from(data);
        if let Some(stamp) = Stamp::of(&before)
            && stamp.size == data.len() as u64
            && is_settled(stamp.modified)
        {
            self.files().insert(path, stamp, data.clone());
        }
        Ok(Content::Small(data))
    }

    /// The whole content of a file.
    pub fn read(&self, path: &Path) -> io::Result<Bytes> {
        match self.content(path, &fs::metadata(path)?)? {
            Content::Small(data) => Ok(data),
            Content::Large(mut file) => {
                let mut data = Vec::new();
                file.read_to_end(&mut data)?;
                Ok(Bytes::from(data))
            }
        }
    }

    /// Which `.headers` files a folder has.
    pub fn folder(&self, path: &Path) -> Folder {
        let Some(modified) = fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
        else {
            return Folder::Unknown;
        };
        {
            let folders = self.folders();
            if let Some(known) = folders.get(path)
                && known.modified == modified
            {
                return Folder::Known(Arc::clone(&known.names));
            }
        }
        if !is_settled(modified) {
            return Folder::Unknown;
        }
        let Ok(names) = header_files(path) else {
            return Folder::Unknown;
        };
        let names = Arc::new(names);
        let mut folders = self.folders();
        if folders.len() >= MOST_FOLDERS {
            folders.clear();
        }
        folders.insert(path.to_owned(), Known { modified, names: Arc::clone(&names) });
        Folder::Known(names)
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        // No code panics while it holds the lock with the state half changed.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folders(&self) -> MutexGuard<'_, HashMap<PathBuf, Known>> {
        // As above.
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files {
    fn get(&mut self, path: &Path, stamp: Stamp) -> Option<Bytes> {
        self.clock += 1;
        let entry = self.entries.get_mut(path)?;
        if entry.stamp != stamp {
            return None;
        }
        entry.used = self.clock;
        Some(entry.data.clone())
    }

    fn insert(&mut self, path: &Path, stamp: Stamp, data: Bytes) {
        self.bytes += data.len();
        let entry = Entry { stamp, data, used: self.clock };
        if let Some(old) = self.entries.insert(path.to_owned(), entry) {
            self.bytes -= old.data.len();
        }
        if self.bytes > MOST_BYTES {
            self.evict();
        }
    }

    /// Drops what was not used for longest, down to three quarters of the room.
    fn evict(&mut self) {
        let mut by_use: Vec<(u64, PathBuf)> =
            self.entries.iter().map(|(path, entry)| (entry.used, path.clone())).collect();
        by_use.sort_unstable();
        for (_, path) in by_use {
            if self.bytes <= MOST_BYTES / 4 * 3 {
                return;
            }
            if let Some(entry) = self.entries.remove(&path) {
                self.bytes -= entry.data.len();
            }
        }
    }
}

/// Whether a time stamp is old enough that a later change must have another: file systems count
/// in steps of some milliseconds.
pub fn is_settled(modified: SystemTime) -> bool {
    SystemTime::now().duration_since(modified).is_ok_and(|age| age > SETTLED_AFTER)
}

fn header_files(path: &Path) -> io::Result<HashSet<OsString>> {
    let mut names = HashSet::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        if Path::new(&name).extension() == Some(OsStr::new("headers")) {
            if entry.file_type()?.is_symlink() {
                // Whether it leads anywhere may change without a trace in this folder.
                return Err(io::Error::other("a link"));
            }
            names.insert(name);
        }
    }
    Ok(names)
}

/// Files up to this size are kept.
const LARGEST_FILE: u64 = 2 * 1024 * 1024;
/// At most this many bytes are kept,
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// and at most so many folders are known.
const MOST_FOLDERS: usize = 4096;
const SETTLED_AFTER: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(path: &Path) {
        let past = SystemTime::now() - Duration::from_secs(10);
        File::open(path).unwrap().set_modified(past).unwrap();
    }

    #[test]
    fn a_settled_file_is_kept_and_a_change_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let cache = FileCache::default();
        fs::write(&path, "one").unwrap();
        settle(&path);
        assert_eq!(cache.read(&path).unwrap(), "one");
        assert_eq!(cache.files().bytes, 3);
        fs::write(&path, "two").unwrap();
        assert_eq!(cache.read(&path).unwrap(), "two");
        settle(&path);
        assert_eq!(cache.read(&path).unwrap(), "two");
        assert_eq!(cache.files().bytes, 3);
    }

    #[test]
    fn a_file_that_just_changed_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let cache = FileCache::default();
        fs::write(&path, "one").unwrap();
        assert_eq!(cache.read(&path).unwrap(), "one");
        assert_eq!(cache.files().bytes, 0);
    }

    #[test]
    fn the_room_is_bounded_and_the_least_used_go_first() {
        let mut files = Files::default();
        let stamp = Stamp { modified: SystemTime::UNIX_EPOCH, size: 1 };
        let block = Bytes::from(vec![0; MOST_BYTES / 8]);
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            files.insert(Path::new(name), stamp, block.clone());
            files.get(Path::new("a"), stamp);
        }
        files.insert(Path::new("i"), stamp, block.clone());
        assert!(files.bytes <= MOST_BYTES);
        assert!(files.get(Path::new("a"), stamp).is_some());
        assert!(files.get(Path::new("b"), stamp).is_none());
        assert_eq!(
            files.bytes,
            files.entries.values().map(|entry| entry.data.len()).sum::<usize>()
        );
    }

    #[test]
    fn a_folder_s_header_files_are_known_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FileCache::default();
        fs::write(folder.path().join("a.headers"), "").unwrap();
        settle(folder.path());
        let known = cache.folder(folder.path());
        assert!(matches!(known, Folder::Known(_)));
        assert!(known.has(&folder.path().join("a.headers")));
        assert!(!known.has(&folder.path().join("b.headers")));
        fs::write(folder.path().join("b.headers"), "").unwrap();
        assert!(cache.folder(folder.path()).has(&folder.path().join("b.headers")));
    }
}
