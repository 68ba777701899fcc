//! `.headers` files: header fields for the file or the directory they are named after.

use std::{
    ffi::OsString,
    fs::Metadata,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use proto::{HeaderList, headers_file::parse_headers_file, mime, template::Escape};

use crate::{
    blocking::Job,
    file_cache::{FileCache, Folder, KnownHeaders, Made, Stamp},
    files::Failure,
    pipes,
};

/// What the `.headers` files of a file come to.
struct HeadersFiles {
    /// The fields, in order.
    fields: Vec<(Bytes, Bytes)>,
    /// Where they are from: with the same files in the same states they are the same. `None` when
    /// they are good for one request only.
    sources: Option<Vec<(PathBuf, Stamp)>>,
}

/// The header list of the file at `path`, whose metadata was just read: the fields of its
/// `.headers` files, behind its media type where they say none. Errors are as in [`load_headers`].
pub(crate) fn header_list(
    job: &Job<'_>,
    path: &Path,
    metadata: &Metadata,
) -> Result<Arc<KnownHeaders>, Failure> {
    let cache = &job.request.environment.files;
    cache.headers(path, metadata, |folder| {
        let HeadersFiles { fields, sources } = read(cache, folder, job, path)?;
        let mut list = HeaderList::with_capacity(fields.len() + 1);
        if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"content-type")) {
            let name = path.file_name().unwrap_or_default();
            list.push("Content-Type", mime::content_type(name.as_bytes()));
        }
        for (name, value) in &fields {
            list.append(name.clone(), value.clone());
        }
        Ok(Made { fields, list, sources })
    })
}

/// The fields for the file at `path`: those of `__dir__.headers` beside it, then those of the
/// file's own `.headers`. A `.sub.headers` file is a template, and goes before the plain one.
/// Where the server's own side is at fault the error names the file and what is wrong with it.
pub fn load_headers(job: &Job<'_>, path: &Path) -> Result<Vec<(Bytes, Bytes)>, Failure> {
    let cache = &job.request.environment.files;
    let folder = cache.folder(path.parent().unwrap_or(path));
    Ok(read(cache, &folder, job, path)?.fields)
}

/// The same for a file in a folder that was looked at.
fn read(
    cache: &FileCache,
    folder: &Folder,
    job: &Job<'_>,
    path: &Path,
) -> Result<HeadersFiles, Failure> {
    let mut found = HeadersFiles { fields: Vec::new(), sources: Some(Vec::new()) };
    found.add(cache, folder, job, &path.with_file_name("__dir__"))?;
    found.add(cache, folder, job, path)?;
    found.sources = found.sources.filter(|_| folder.is_current());
    Ok(found)
}

impl HeadersFiles {
    fn add(
        &mut self,
        cache: &FileCache,
        folder: &Folder,
        job: &Job<'_>,
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
            data = pipes::render(job, &data, Escape::None).map_err(told)?.into();
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
