//! Opening files that are files: what else has a name in a folder may wait for its other end, or
//! do something when it is opened.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read},
    path::Path,
};

/// Opens a file for reading; its metadata is that of the open file. What is not a regular file
/// (a directory, a named pipe, a device) is as if it were not there.
pub fn open(path: &Path) -> io::Result<(File, Metadata)> {
    // Looked at first: to open a named pipe lets its writer go on.
    if !fs::metadata(path)?.is_file() {
        return Err(not_regular());
    }
    let file = open_without_waiting(path)?;
    let metadata = file.metadata()?;
    // It may have been replaced in between.
    if !metadata.is_file() {
        return Err(not_regular());
    }
    Ok((file, metadata))
}

/// Opens a folder, to look at it later without a walk along its path.
#[cfg(target_os = "linux")]
pub(crate) fn open_folder(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(File::from(open(path, flags, Mode::empty())?))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn open_folder(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    File::open(path)
}

/// The content of a regular file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let (mut file, metadata) = open(path)?;
    let mut content = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    file.read_to_end(&mut content)?;
    Ok(content)
}

/// The text of a regular file.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "not a regular file")
}

/// Nothing that has a path can hold this up, but for the file system itself.
#[cfg(target_os = "linux")]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(File::from(open(path, flags, Mode::empty())?))
}

#[cfg(not(target_os = "linux"))]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_regular_file_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "text").unwrap();
        assert_eq!(read(&file).unwrap(), b"text");
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for other in [folder.path(), &socket, Path::new("/dev/zero")] {
            assert_eq!(open(other).unwrap_err().kind(), io::ErrorKind::NotFound, "{other:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_named_pipe_does_not_hold_up_who_opens_it() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let kind = rustix::fs::FileType::Fifo;
        let mode = rustix::fs::Mode::RUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, mode, 0).unwrap();
        assert_eq!(open(&pipe).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(open_without_waiting(&pipe).is_ok());
    }
}
