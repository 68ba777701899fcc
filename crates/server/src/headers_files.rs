//! `.headers` files: header fields for the file or the directory they are named after.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use proto::{headers_file::parse_headers_file, template::Escape};

use crate::{
    Request,
    file_cache::{FileCache, Folder, Stamp},
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
/// The error names the file and what is wrong with it.
pub fn load_headers(
    cache: &FileCache,
    request: &Request,
    path: &Path,
) -> Result<Vec<(Bytes, Bytes)>, String> {
    let folder = cache.folder(path.parent().unwrap_or(path));
    Ok(read(cache, &folder, request, path)?.fields)
}

/// The same for a file in a folder that was looked at.
pub(crate) fn read(
    cache: &FileCache,
    folder: &Folder,
    request: &Request,
    path: &Path,
) -> Result<HeadersFiles, String> {
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
    ) -> Result<(), String> {
        let template = with_ending(path, ".sub.headers");
        let is_template = folder.has(&template);
        let path = if is_template { template } else { with_ending(path, ".headers") };
        if !is_template && !folder.has(&path) {
            return Ok(());
        }
        // The reference passes over a file that it cannot read.
        let Ok((mut data, stamp)) = cache.read(&path) else {
            self.sources = None;
            return Ok(());
        };
        let told = |reason: String| format!("{}: {reason}", path.display());
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

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
