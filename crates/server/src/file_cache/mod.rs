//! Files of the document root in memory, as long as they do not change.

mod folder;
mod stamp;

use std::{
    collections::{HashMap, hash_map},
    ffi::OsString,
    fs::{self, File, Metadata},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use proto::HeaderList;

use crate::{clock, file_system, regular_file};

pub use folder::Folder;
pub use stamp::Stamp;

/// Keeps the content and the header lists of small files, and which `.headers` files a folder
/// has. Whatever it keeps is checked against the file system's stamps every time it is asked for,
/// and once a second the file is read again: a change through a shared mapping may leave no trace
/// in them.
///
/// Only [`at_hand`](Self::at_hand) is for the thread that has the connections. It looks at files
/// that were found on a file system of this machine, and opens none.
#[derive(Default)]
pub struct FileCache {
    files: Mutex<Files>,
    folders: Mutex<HashMap<OsString, Arc<Folder>>>,
    /// Counts the folders that are open.
    handles: Arc<()>,
}

#[derive(Default)]
struct Files {
    entries: HashMap<OsString, Entry>,
    bytes: usize,
    clock: u64,
}

/// What is known of one state of a file.
struct Entry {
    stamp: Stamp,
    data: Option<Bytes>,
    headers: Option<Arc<KnownHeaders>>,
    used: u64,
    /// When the file was read, or somebody was told to read it.
    read_at: Duration,
}

/// The header list of a file, and what it was made of.
pub struct KnownHeaders {
    /// What its `.headers` files say.
    pub fields: Vec<(Bytes, Bytes)>,
    /// The list that they make of it.
    pub list: HeaderList,
    folder: Arc<Folder>,
    /// `None` when it is good for one request only.
    sources: Option<Vec<(PathBuf, Stamp)>>,
}

impl KnownHeaders {
    fn is_current(&self) -> bool {
        let same = |(path, stamp): &(PathBuf, Stamp)| {
            fs::metadata(path).is_ok_and(|metadata| Stamp::of(&metadata) == *stamp)
        };
        self.folder.is_current()
            && self.sources.as_ref().is_some_and(|sources| sources.iter().all(same))
    }
}

/// A file's content.
pub enum Content {
    /// All of it.
    Small(Bytes),
    /// Too large to keep: to be read while it is sent.
    Large(File),
}

/// A file whose content is known.
pub struct AtHand {
    /// Its metadata, as it is now.
    pub metadata: Metadata,
    /// Its header list.
    pub headers: Arc<KnownHeaders>,
    /// All of its content.
    pub data: Bytes,
}

/// A file that was opened.
pub struct Opened {
    /// The metadata of the open file.
    pub metadata: Metadata,
    /// Its content.
    pub content: Content,
    /// The stamp that it has as long as that is its content; `None` when it changed a moment ago
    /// and may change again without a trace, and for what is too large to keep.
    pub stamp: Option<Stamp>,
}

/// A header list that was made from `.headers` files.
pub struct Made {
    /// What they say.
    pub fields: Vec<(Bytes, Bytes)>,
    /// The list.
    pub list: HeaderList,
    /// The files, with their stamps; `None` when the list is good for one request only.
    pub sources: Option<Vec<(PathBuf, Stamp)>>,
}

impl FileCache {
    /// All that is to know of a file, if it is known. Nothing is opened, and nothing is read.
    pub fn at_hand(&self, path: &Path) -> Option<AtHand> {
        let (stamp, headers, data) = {
            let mut files = self.files();
            let entry = files.entry_of(path)?;
            let known = (entry.stamp, entry.headers.clone()?, entry.data.clone()?);
            let now = clock::monotonic();
            if now.saturating_sub(entry.read_at) > TRUSTED_FOR {
                // Whoever asks reads the file; others need not, meanwhile.
                entry.read_at = now;
                return None;
            }
            known
        };
        let metadata = fs::metadata(path).ok()?;
        let current = Stamp::of(&metadata) == stamp && headers.is_current();
        current.then_some(AtHand { metadata, headers, data })
    }

    /// Opens a file, and reads it if it is small.
    pub fn open(&self, path: &Path) -> io::Result<Opened> {
        let (mut file, metadata) = regular_file::open(path)?;
        if metadata.len() > LARGEST_FILE {
            return Ok(Opened { metadata, content: Content::Large(file), stamp: None });
        }
        let stamp = Stamp::of(&metadata);
        let mut data = Vec::with_capacity(usize::try_from(stamp.size()).unwrap_or_default() + 1);
        // It may be growing.
        file.by_ref().take(LARGEST_FILE).read_to_end(&mut data)?;
        let data = Bytes::from(data);
        let vouched = stamp.size() == data.len() as u64 && stamp.is_settled();
        if vouched && file_system::is_of_this_machine(&file) {
            self.files().keep_data(path, stamp, data.clone());
        }
        let content = Content::Small(data);
        Ok(Opened { metadata, content, stamp: vouched.then_some(stamp) })
    }

    /// The whole content of a file of moderate size, and its stamp as in [`Opened`].
    pub fn read(&self, path: &Path) -> io::Result<(Bytes, Option<Stamp>)> {
        let opened = self.open(path)?;
        match opened.content {
            Content::Small(data) => Ok((data, opened.stamp)),
            Content::Large(_) if opened.metadata.len() > MOST_IN_MEMORY => Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!(
                    "the file has {} bytes, of at most {MOST_IN_MEMORY}",
                    opened.metadata.len()
                ),
            )),
            Content::Large(file) => {
                let mut data = Vec::new();
                file.take(MOST_IN_MEMORY).read_to_end(&mut data)?;
                Ok((Bytes::from(data), None))
            }
        }
    }

    /// The header list of a file whose metadata was just read: the one that is known, or else what
    /// `make` makes of the `.headers` files that are in its folder.
    pub fn headers<E>(
        &self,
        path: &Path,
        metadata: &Metadata,
        make: impl FnOnce(&Folder) -> Result<Made, E>,
    ) -> Result<Arc<KnownHeaders>, E> {
        let stamp = Stamp::of(metadata);
        let known = self.files().get(path, stamp).and_then(|entry| entry.headers.clone());
        if let Some(known) = known.filter(|known| known.is_current()) {
            return Ok(known);
        }
        let folder = self.folder(path.parent().unwrap_or(path));
        let Made { fields, list, sources } = make(&folder)?;
        let headers = Arc::new(KnownHeaders { fields, list, folder, sources });
        if headers.sources.is_some() && stamp.is_settled() {
            self.files().keep_headers(path, stamp, Arc::clone(&headers));
        }
        Ok(headers)
    }

    /// Which `.headers` files a folder has.
    pub fn folder(&self, path: &Path) -> Arc<Folder> {
        let known = self.folders().get(path.as_os_str()).cloned();
        if let Some(folder) = known.filter(|folder| folder.is_in_place()) {
            return folder;
        }
        let folder = Arc::new(Folder::read(path, &self.handles));
        let mut folders = self.folders();
        if folders.len() >= MOST_FOLDERS {
            folders.clear();
        }
        folders.insert(path.as_os_str().to_owned(), Arc::clone(&folder));
        folder
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        // No code panics while it holds the lock with the state half changed.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folders(&self) -> MutexGuard<'_, HashMap<OsString, Arc<Folder>>> {
        // As above.
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn length(&self) -> usize {
        self.data.as_ref().map_or(0, Bytes::len)
    }
}

impl Files {
    /// What is known of a file, in whatever state.
    fn entry_of(&mut self, path: &Path) -> Option<&mut Entry> {
        self.clock += 1;
        let entry = self.entries.get_mut(path.as_os_str())?;
        entry.used = self.clock;
        Some(entry)
    }

    /// What is known of a file in this state.
    fn get(&mut self, path: &Path, stamp: Stamp) -> Option<&Entry> {
        self.entry_of(path).filter(|entry| entry.stamp == stamp).map(|entry| &*entry)
    }

    fn keep_data(&mut self, path: &Path, stamp: Stamp, data: Bytes) {
        self.bytes += data.len();
        let entry = self.entry(path, stamp);
        entry.read_at = clock::monotonic();
        let replaced = entry.data.replace(data);
        self.bytes -= replaced.map_or(0, |data| data.len());
        if self.bytes > MOST_BYTES || self.entries.len() > MOST_FILES {
            self.evict();
        }
    }

    fn keep_headers(&mut self, path: &Path, stamp: Stamp, headers: Arc<KnownHeaders>) {
        self.entry(path, stamp).headers = Some(headers);
        if self.entries.len() > MOST_FILES {
            self.evict();
        }
    }

    /// The entry of a file in this state; what was known of another state is forgotten.
    fn entry(&mut self, path: &Path, stamp: Stamp) -> &mut Entry {
        let new = Entry {
            stamp,
            data: None,
            headers: None,
            used: self.clock,
            read_at: clock::monotonic(),
        };
        let entry = match self.entries.entry(path.as_os_str().to_owned()) {
            hash_map::Entry::Occupied(entry) => entry.into_mut(),
            hash_map::Entry::Vacant(place) => return place.insert(new),
        };
        if entry.stamp != stamp {
            self.bytes -= entry.length();
            *entry = new;
        }
        entry
    }

    /// Drops what was not used for longest, down to three quarters of the room.
    fn evict(&mut self) {
        let mut by_use: Vec<(u64, OsString)> =
            self.entries.iter().map(|(path, entry)| (entry.used, path.clone())).collect();
        by_use.sort_unstable();
        for (_, path) in by_use {
            if self.bytes <= MOST_BYTES / 4 * 3 && self.entries.len() <= MOST_FILES / 4 * 3 {
                return;
            }
            if let Some(entry) = self.entries.remove(&path) {
                self.bytes -= entry.length();
            }
        }
    }
}

/// How long a content is believed to be that of a file whose stamp is the same.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// Files up to this size are read where all of the content is needed at once.
const MOST_IN_MEMORY: u64 = 16 * 1024 * 1024;
/// Files up to this size are kept.
const LARGEST_FILE: u64 = 256 * 1024;
/// At most this many bytes are kept,
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// of so many files,
const MOST_FILES: usize = 16 * 1024;
/// and at most so many folders are known.
const MOST_FOLDERS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        thread,
        time::{Duration, SystemTime},
    };

    fn settle() {
        thread::sleep(stamp::SETTLED_AFTER + Duration::from_millis(50));
    }

    fn read(cache: &FileCache, path: &Path) -> Bytes {
        cache.read(path).unwrap().0
    }

    /// The header list of a file, one field for each `.headers` file of its own that it has.
    fn headers(cache: &FileCache, path: &Path) -> Vec<String> {
        let made = cache.headers(path, &fs::metadata(path).unwrap(), |folder| {
            let source = path.with_extension("txt.headers");
            let mut made =
                Made { fields: Vec::new(), list: HeaderList::new(), sources: Some(Vec::new()) };
            if folder.has(&source)? {
                let (data, stamp) = cache.read(&source)?;
                made.list.push("X", data);
                made.sources = stamp.map(|stamp| vec![(source, stamp)]);
            }
            io::Result::Ok(made)
        });
        let list = &made.unwrap().list;
        list.iter().map(|field| String::from_utf8(field.value.to_vec()).unwrap()).collect()
    }

    #[test]
    fn a_file_is_at_hand_once_it_was_read_with_its_headers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let cache = FileCache::default();
        fs::write(&path, "one").unwrap();
        settle();
        assert!(cache.at_hand(&path).is_none());
        assert_eq!(read(&cache, &path), "one");
        assert!(cache.at_hand(&path).is_none());
        headers(&cache, &path);
        assert_eq!(cache.at_hand(&path).unwrap().data, "one");
        fs::write(&path, "two").unwrap();
        assert!(cache.at_hand(&path).is_none());
    }

    #[test]
    fn a_file_that_has_been_at_hand_for_long_is_read_again_by_one_request() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let cache = FileCache::default();
        fs::write(&path, "one").unwrap();
        settle();
        read(&cache, &path);
        headers(&cache, &path);
        let now = clock::monotonic();
        // As if it was read long ago, and then changed without a trace.
        cache.files().entry_of(&path).unwrap().read_at = Duration::ZERO;
        cache.files().entry_of(&path).unwrap().data = Some("old".into());
        assert!(now > TRUSTED_FOR, "the machine has just started");
        assert!(cache.at_hand(&path).is_none());
        assert_eq!(cache.at_hand(&path).unwrap().data, "old");
        read(&cache, &path);
        assert_eq!(cache.at_hand(&path).unwrap().data, "one");
    }

    #[test]
    fn a_settled_file_is_kept_and_a_change_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let cache = FileCache::default();
        fs::write(&path, "one").unwrap();
        settle();
        assert_eq!(read(&cache, &path), "one");
        assert_eq!(cache.files().bytes, 3);
        fs::write(&path, "two").unwrap();
        assert_eq!(read(&cache, &path), "two");
        settle();
        assert_eq!(read(&cache, &path), "two");
        assert_eq!(cache.files().bytes, 3);
    }

    #[test]
    fn a_change_is_seen_behind_a_time_that_was_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let cache = FileCache::default();
        let past = SystemTime::now() - Duration::from_secs(10);
        for text in ["one", "two"] {
            fs::write(&path, text).unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(past).unwrap();
            settle();
            assert_eq!(read(&cache, &path), text);
        }
    }

    #[test]
    fn a_file_that_just_changed_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let cache = FileCache::default();
        fs::write(&path, "one").unwrap();
        assert_eq!(read(&cache, &path), "one");
        assert_eq!(cache.files().bytes, 0);
    }

    #[test]
    fn the_room_is_bounded_and_the_least_used_go_first() {
        let mut files = Files::default();
        let folder = tempfile::tempdir().unwrap();
        let stamp = Stamp::of(&fs::metadata(folder.path()).unwrap());
        let block = Bytes::from(vec![0; MOST_BYTES / 8]);
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            files.keep_data(Path::new(name), stamp, block.clone());
            files.get(Path::new("a"), stamp);
        }
        files.keep_data(Path::new("i"), stamp, block.clone());
        assert!(files.bytes <= MOST_BYTES);
        assert!(files.get(Path::new("a"), stamp).is_some());
        assert!(files.get(Path::new("b"), stamp).is_none());
        assert_eq!(files.bytes, files.entries.values().map(Entry::length).sum::<usize>());
    }

    #[test]
    fn headers_are_known_until_a_file_of_theirs_comes_changes_or_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let source = folder.path().join("a.txt.headers");
        let cache = FileCache::default();
        fs::write(&path, "").unwrap();
        settle();
        for _ in 0..2 {
            assert!(headers(&cache, &path).is_empty());
        }
        for text in ["one", "two"] {
            fs::write(&source, text).unwrap();
            assert_eq!(headers(&cache, &path), [text]);
            settle();
            for _ in 0..2 {
                assert_eq!(headers(&cache, &path), [text]);
            }
        }
        fs::remove_file(&source).unwrap();
        assert!(headers(&cache, &path).is_empty());
    }

    #[test]
    fn a_folder_that_takes_the_place_of_another_is_seen() {
        let top = tempfile::tempdir().unwrap();
        let (here, there) = (top.path().join("x/here"), top.path().join("x/there"));
        for (folder, text) in [(&here, "old"), (&there, "new")] {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join("a.txt"), text).unwrap();
            fs::write(folder.join("a.txt.headers"), text).unwrap();
        }
        settle();
        let cache = FileCache::default();
        let path = here.join("a.txt");
        for _ in 0..2 {
            assert_eq!(
                (headers(&cache, &path), read(&cache, &path)),
                (vec!["old".into()], "old".into())
            );
        }
        fs::rename(&here, top.path().join("x/gone")).unwrap();
        fs::rename(&there, &here).unwrap();
        assert_eq!(
            (headers(&cache, &path), read(&cache, &path)),
            (vec!["new".into()], "new".into())
        );
        // The same with the folders above them.
        fs::create_dir_all(top.path().join("y/here")).unwrap();
        fs::write(top.path().join("y/here/a.txt"), "third").unwrap();
        settle();
        assert_eq!(headers(&cache, &path), ["new"]);
        fs::rename(top.path().join("x"), top.path().join("z")).unwrap();
        fs::rename(top.path().join("y"), top.path().join("x")).unwrap();
        assert_eq!((headers(&cache, &path), read(&cache, &path)), (vec![], "third".into()));
    }
}
