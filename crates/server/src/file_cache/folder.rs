//! Which `.headers` files a folder has.

use std::{
    collections::HashSet,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::Stamp;
use crate::regular_file;

/// The names of the `.headers` files of a folder in one of its states.
pub struct Folder {
    path: PathBuf,
    /// `None` when they have to be looked for one by one.
    known: Option<Known>,
}

struct Known {
    stamp: Stamp,
    names: HashSet<OsString>,
    /// To look at the folder without a walk along its path.
    handle: Option<Handle>,
}

struct Handle {
    folder: File,
    /// One of those that count how many there are.
    _count: Arc<()>,
}

impl Folder {
    /// The folder as it is now; open, while not too many are.
    pub(super) fn read(path: &Path, handles: &Arc<()>) -> Self {
        Self { path: path.to_owned(), known: Known::read(path, handles).ok().flatten() }
    }

    /// Whether the folder has the file at `path`, which is directly in it.
    pub fn has(&self, path: &Path) -> io::Result<bool> {
        match &self.known {
            Some(known) => Ok(path.file_name().is_some_and(|name| known.names.contains(name))),
            None => path.try_exists(),
        }
    }

    /// Whether all of it is known, and still true of the folder that it was read from. A folder
    /// that was moved has another stamp; one that was moved with those around it has not, but then
    /// a file in it is another one at its path.
    pub fn is_current(&self) -> bool {
        self.known.as_ref().is_some_and(|known| {
            let metadata = match &known.handle {
                Some(handle) => handle.folder.metadata(),
                None => fs::metadata(&self.path),
            };
            metadata.is_ok_and(|metadata| Stamp::of(&metadata) == known.stamp)
        })
    }

    /// Whether it is the one that is at its path now, unchanged.
    pub(super) fn is_in_place(&self) -> bool {
        self.known.as_ref().is_some_and(|known| {
            fs::metadata(&self.path).is_ok_and(|metadata| Stamp::of(&metadata) == known.stamp)
        })
    }
}

impl Known {
    /// `None` for a folder that changed a moment ago, and for one with a link among its files:
    /// whether that leads anywhere may change without a trace in the folder.
    fn read(path: &Path, handles: &Arc<()>) -> io::Result<Option<Self>> {
        let folder = regular_file::open_folder(path).ok();
        let metadata = match &folder {
            Some(folder) => folder.metadata()?,
            None => fs::metadata(path)?,
        };
        let stamp = Stamp::of(&metadata);
        if !stamp.is_settled() {
            return Ok(None);
        }
        let mut names = HashSet::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name();
            if Path::new(&name).extension() == Some(OsStr::new("headers")) {
                if entry.file_type()?.is_symlink() {
                    return Ok(None);
                }
                names.insert(name);
            }
        }
        // The path may have come to lead elsewhere in the meantime.
        if Stamp::of(&fs::metadata(path)?) != stamp {
            return Ok(None);
        }
        let room = Arc::strong_count(handles) <= MOST_HANDLES;
        let handle = folder.filter(|_| room);
        let handle = handle.map(|folder| Handle { folder, _count: Arc::clone(handles) });
        Ok(Some(Self { stamp, names, handle }))
    }
}

/// At most so many folders are held open.
const MOST_HANDLES: usize = 256;
