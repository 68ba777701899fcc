//! `.headers` files: header fields for the file or the directory they are named after.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use proto::{headers_file::parse_headers_file, template::Escape};

use crate::{
    Request,
    file_cache::{FileCache, Folder, Stamp},
    files::Failure,
    pipes,
};

/// What the `.headers` files of a file come to.
pub(crate) struct HeadersFiles {
    /// The fields, in order.
    pub(crate) fields: Vec<(Bytes, Bytes)>,
    /// Where they are from: with the same files in the same states they are the same. `None` when
    /// they are good for one request only.
    pub(crate) sources: Option<Vec<(PathBuf, Stamp)>>,
}

/// The fields for the file at `path`: those of `__dir__.headers` beside it, then those of the
/// file's own `.headers`. A `.sub.headers` file is a template, and goes before the plain one.
/// Where the server's own side is at fault the error names the file and what is wrong with it.
pub fn load_headers(
    cache: &FileCache,
    request: &Request,
    path: &Path,
) -> Result<Vec<(Bytes, Bytes)>, Failure> {
    let folder = cache.folder(path.parent().unwrap_or(path));
    Ok(read(cache, &folder, request, path)?.fields)
}

/// The same for a file in a folder that was looked at.
pub(crate) fn read(
    cache: &FileCache,
    folder: &Folder,
    request: &Request,
    path: &Path,
) -> Result<HeadersFiles, Failure> {
    let mut found = HeadersFiles { fields: Vec::new(), sources: Some(Vec::new()) };
    found.add(cache, folder, request, &path.with_file_name("__dir__"))?;
    found.add(cache, folder, request, path)?;
    found.sources = found.sources.filter(|_| folder.is_current());
    Ok(found)
}

impl HeadersFiles {
    fn add(
        &mut self,
        cache: &FileCache,
        folder: &Folder,
        request: &Request,
        path: &Path,
    ) -> Result<(), Failure> {
        let template = with_ending(path, ".sub.headers");
        let is_template = if_available(folder.has(&template))?.unwrap_or(false);
        let path = if is_template { template } else { with_ending(path, ".headers") };
        if !is_template && !if_available(folder.has(&path))?.unwrap_or(false) {
            return Ok(());
        }
        // The reference passes over a file that it cannot read.
        let Some((mut data, stamp)) = if_available(cache.read(&path))? else {
            self.sources = None;
            return Ok(());
        };
        let told = |reason: String| Failure::Server(format!("{}: {reason}", path.display()));
        if is_template {
            data = pipes::render(request, &data, Escape::None).map_err(told)?.into();
        }
        self.fields.extend(parse_headers_file(&data).map_err(|error| told(error.to_string()))?);
        match (stamp, &mut self.sources) {
            (Some(stamp), Some(sources)) if !is_template => sources.push((path, stamp)),
            _ => self.sources = None,
        }
        Ok(())
    }
}

/// `None` for what is not there or may not be read; an error for what cannot be read just now.
fn if_available<T>(result: io::Result<T>) -> Result<Option<T>, Failure> {
    match result.map_err(Failure::from) {
        Ok(found) => Ok(Some(found)),
        Err(unavailable @ Failure::Unavailable(_)) => Err(unavailable),
        Err(_) => Ok(None),
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
