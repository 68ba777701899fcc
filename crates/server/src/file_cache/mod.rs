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
};

use bytes::Bytes;
use proto::HeaderList;

pub use folder::Folder;
pub use stamp::Stamp;

/// Keeps the content and the header lists of small files, and which `.headers` files a folder
/// has. Whatever it keeps is checked against the file system's stamps every time it is asked for.
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
}

/// The header list of a file, and what it was made of.
struct KnownHeaders {
    list: HeaderList,
    folder: Arc<Folder>,
    sources: Vec<(PathBuf, Stamp)>,
}

impl KnownHeaders {
    fn is_current(&self) -> bool {
        let same = |(path, stamp): &(PathBuf, Stamp)| {
            fs::metadata(path).is_ok_and(|metadata| Stamp::of(&metadata) == *stamp)
        };
        self.folder.is_current() && self.sources.iter().all(same)
    }
}

/// A file's content.
pub enum Content {
    /// All of it.
    Small(Bytes),
    /// Too large to keep: to be read while it is sent.
    Large(File),
}

/// A header list that was made from `.headers` files.
pub struct Made {
    /// The fields.
    pub list: HeaderList,
    /// The files, with their stamps; `None` when the list is good for one request only.
    pub sources: Option<Vec<(PathBuf, Stamp)>>,
}

impl FileCache {
    /// The content of a file whose metadata was just read.
    pub fn content(&self, path: &Path, metadata: &Metadata) -> io::Result<Content> {
        Ok(self.load(path, metadata)?.0)
    }

    /// The whole content of a file, and the stamp that it has as long as that is its content;
    /// `None` when it changed a moment ago and may change again without a trace.
    pub fn read(&self, path: &Path) -> io::Result<(Bytes, Option<Stamp>)> {
        match self.load(path, &fs::metadata(path)?)? {
            (Content::Small(data), stamp) => Ok((data, stamp)),
            (Content::Large(mut file), _) => {
                let mut data = Vec::new();
                file.read_to_end(&mut data)?;
                Ok((Bytes::from(data), None))
            }
        }
    }

    fn load(&self, path: &Path, metadata: &Metadata) -> io::Result<(Content, Option<Stamp>)> {
        if metadata.len() > LARGEST_FILE {
            return Ok((Content::Large(File::open(path)?), None));
        }
        let stamp = Stamp::of(metadata);
        if let Some(data) = self.files().get(path, stamp).and_then(|entry| entry.data.clone()) {
            return Ok((Content::Small(data), Some(stamp)));
        }
        let mut file = File::open(path)?;
        let before = Stamp::of(&file.metadata()?);
        let mut data = Vec::with_capacity(usize::try_from(before.size()).unwrap_or_default() + 1);
        file.read_to_end(&mut data)?;
        let data = Bytes::from(data);
        let vouched = before.size() == data.len() as u64 && before.is_settled();
        if vouched {
            self.files().keep_data(path, before, data.clone());
        }
        Ok((Content::Small(data), vouched.then_some(before)))
    }

    /// The header list of a file whose metadata was just read: the one that is known, or else what
    /// `make` makes of the `.headers` files that are in its folder.
    pub fn headers<E>(
        &self,
        path: &Path,
        metadata: &Metadata,
        make: impl FnOnce(&Folder) -> Result<Made, E>,
    ) -> Result<HeaderList, E> {
        let stamp = Stamp::of(metadata);
        let known = self.files().get(path, stamp).and_then(|entry| entry.headers.clone());
        if let Some(known) = known.filter(|known| known.is_current()) {
            return Ok(known.list.clone());
        }
        let folder = self.folder(path.parent().unwrap_or(path));
        let Made { list, sources } = make(&folder)?;
        if let Some(sources) = sources
            && stamp.is_settled()
        {
            let headers = KnownHeaders { list: list.clone(), folder, sources };
            self.files().keep_headers(path, stamp, headers);
        }
        Ok(list)
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
    /// What is known of a file in this state.
    fn get(&mut self, path: &Path, stamp: Stamp) -> Option<&Entry> {
        self.clock += 1;
        let entry = self.entries.get_mut(path.as_os_str())?;
        entry.used = self.clock;
        (entry.stamp == stamp).then_some(&*entry)
    }

    fn keep_data(&mut self, path: &Path, stamp: Stamp, data: Bytes) {
        self.bytes += data.len();
        let replaced = self.entry(path, stamp).data.replace(data);
        self.bytes -= replaced.map_or(0, |data| data.len());
        if self.bytes > MOST_BYTES || self.entries.len() > MOST_FILES {
            self.evict();
        }
    }

    fn keep_headers(&mut self, path: &Path, stamp: Stamp, headers: KnownHeaders) {
        self.entry(path, stamp).headers = Some(Arc::new(headers));
        if self.entries.len() > MOST_FILES {
            self.evict();
        }
    }

    /// The entry of a file in this state; what was known of another state is forgotten.
    fn entry(&mut self, path: &Path, stamp: Stamp) -> &mut Entry {
        let used = self.clock;
        let entry = match self.entries.entry(path.as_os_str().to_owned()) {
            hash_map::Entry::Occupied(entry) => entry.into_mut(),
            hash_map::Entry::Vacant(place) => {
                place.insert(Entry { stamp, data: None, headers: None, used })
            }
        };
        if entry.stamp != stamp {
            self.bytes -= entry.length();
            *entry = Entry { stamp, data: None, headers: None, used };
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
            let mut made = Made { list: HeaderList::new(), sources: Some(Vec::new()) };
            if folder.has(&source)? {
                let (data, stamp) = cache.read(&source)?;
                made.list.push("X", data);
                made.sources = stamp.map(|stamp| vec![(source, stamp)]);
            }
            io::Result::Ok(made)
        });
        made.unwrap().iter().map(|field| String::from_utf8(field.value.to_vec()).unwrap()).collect()
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
