//! Files, directories and `.asis` files of the document root.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use proto::{listing, mime};

use crate::{Exchange, Finish, Handler, Request, Response, response::Body};

/// Serves files and lists directories.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileHandler;

impl Handler for FileHandler {
    fn handle(&self, exchange: Exchange) {
        let response = file_system_path(&exchange.request)
            .and_then(|path| answer(&exchange.request, &path))
            .unwrap_or_else(not_found);
        exchange.respond(response);
    }
}

/// Sends a file's bytes as the whole response, then closes the connection.
#[derive(Debug, Clone, Copy, Default)]
pub struct AsIsHandler;

impl Handler for AsIsHandler {
    fn handle(&self, mut exchange: Exchange) {
        let Some(path) = file_system_path(&exchange.request) else {
            return exchange.respond(not_found());
        };
        if path.is_dir() {
            let message = format!(
                "Internal server error loading {}:\n  {} is a directory; an .asis route serves files",
                exchange.request.display_url(),
                path.display()
            );
            return exchange.respond(Response::error(500, &message));
        }
        if !path.is_file() {
            return exchange.respond(not_found());
        }
        match fs::read(&path) {
            Ok(data) => exchange.writer.finish(Bytes::from(data), Finish::Close),
            Err(_) => exchange.respond(not_found()),
        }
    }
}

/// The file that a request's path names under the document root; `None` when the path has `..`
/// anywhere, or a NUL. Symbolic links are followed.
pub fn file_system_path(request: &Request) -> Option<PathBuf> {
    let path = request.path();
    if path.windows(2).any(|pair| pair == b"..") || path.contains(&0) {
        return None;
    }
    let relative = path.strip_prefix(b"/").unwrap_or(path);
    // Joining an absolute path would leave the root.
    if relative.starts_with(b"/") {
        return None;
    }
    Some(request.environment.doc_root.join(OsStr::from_bytes(relative)))
}

fn not_found() -> Response {
    Response::error(404, "404")
}

fn answer(request: &Request, path: &Path) -> Option<Response> {
    // Looked at before it is opened: to open a named pipe would wait for its other end.
    let metadata = fs::metadata(path).ok().filter(|kind| kind.is_file() || kind.is_dir())?;
    let file = File::open(path).ok()?;
    if metadata.is_dir() {
        return Some(directory(request, path));
    }
    // A trailing slash names a directory, which this is not.
    if request.path().ends_with(b"/") {
        return None;
    }
    let content_type = mime::content_type(path.file_name().unwrap_or_default().as_bytes());
    let body = if request.is_head() {
        // Only the length is wanted.
        Body::File { file, length: metadata.len() }
    } else {
        read(file, metadata.len()).ok()?
    };
    let mut response = Response::new(200, "").with("Content-Type", content_type);
    response.body = body;
    Some(response)
}

/// Small files are read at once: one buffer, one write. Larger ones are streamed.
fn read(mut file: File, length: u64) -> io::Result<Body> {
    if length > STREAM_ABOVE {
        return Ok(Body::File { file, length });
    }
    let mut data = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    file.read_to_end(&mut data)?;
    Ok(Body::Bytes(Bytes::from(data)))
}

fn directory(request: &Request, path: &Path) -> Response {
    let url_path = &request.head.target.path;
    if !url_path.ends_with(b"/") {
        return Response::new(301, "").with("Location", with_slash(request));
    }
    match list(path) {
        Ok(entries) => Response::new(200, listing::render_listing(url_path, entries))
            .with("Content-Type", "text/html"),
        Err(error) => {
            let message = format!(
                "Internal server error loading {}:\n  the directory cannot be listed: {error}",
                request.display_url()
            );
            Response::error(500, &message)
        }
    }
}

/// The request's URL with a slash behind the path, before the query.
fn with_slash(request: &Request) -> Vec<u8> {
    let mut url = request.url();
    let at = url.iter().position(|&byte| matches!(byte, b'?' | b'#')).unwrap_or(url.len());
    url.insert(at, b'/');
    url
}

/// The entries of a directory, in no particular order.
pub fn list(path: &Path) -> io::Result<Vec<listing::Entry>> {
    fs::read_dir(path)?
        .map(|entry| {
            let entry = entry?;
            Ok(listing::Entry { is_dir: entry.path().is_dir(), name: entry.file_name().into_vec() })
        })
        .collect()
}

/// Files up to this size are sent from one buffer.
const STREAM_ABOVE: u64 = 2 * 1024 * 1024;
