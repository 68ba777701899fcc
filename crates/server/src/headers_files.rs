//! `.headers` files: header fields for the file or the directory they are named after.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use proto::{headers_file::parse_headers_file, template::Escape};

use crate::{
    Request,
    file_cache::{FileCache, Folder},
    pipes,
};

/// The fields for the file at `path`: those of `__dir__.headers` beside it, then those of the
/// file's own `.headers`. A `.sub.headers` file is a template, and goes before the plain one.
/// The error names the file and what is wrong with it.
pub fn load_headers(
    cache: &FileCache,
    request: &Request,
    path: &Path,
) -> Result<Vec<(Bytes, Bytes)>, String> {
    let folder = cache.folder(path.parent().unwrap_or(path));
    let mut fields = load(cache, &folder, request, &path.with_file_name("__dir__"))?;
    fields.extend(load(cache, &folder, request, path)?);
    Ok(fields)
}

fn load(
    cache: &FileCache,
    folder: &Folder,
    request: &Request,
    path: &Path,
) -> Result<Vec<(Bytes, Bytes)>, String> {
    let template = with_ending(path, ".sub.headers");
    let is_template = folder.has(&template);
    let path = if is_template { template } else { with_ending(path, ".headers") };
    if !is_template && !folder.has(&path) {
        return Ok(Vec::new());
    }
    // The reference passes over a file that it cannot read.
    let Ok(mut data) = cache.read(&path) else {
        return Ok(Vec::new());
    };
    let told = |reason: String| format!("{}: {reason}", path.display());
    if is_template {
        data = pipes::render(request, &data, Escape::None).map_err(told)?.into();
    }
    parse_headers_file(&data).map_err(|error| told(error.to_string()))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
