//! Files, directories and `.asis` files of the document root.

use std::{
    ffi::OsStr,
    fs::{self, Metadata},
    io::{self, ErrorKind},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use proto::{HeaderList, date, listing, mime};
use rustix::io::Errno;

use crate::{
    Exchange, Finish, Handler, Request, Response,
    file_cache::{Content, Made},
    headers_files, pipes, ranges,
    response::Body,
};

/// Serves files, with their `.headers`, ranges and pipes, and lists directories.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileHandler {
    /// Whether files have `ETag` and Last-Modified, and conditional requests are answered with 304.
    /// The reference does neither.
    pub validators: bool,
}

impl Handler for FileHandler {
    fn answer(&self, request: &Request) -> Option<Response> {
        Some(self.response(request))
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
        match as_is(&exchange.request, &path) {
            Ok(data) => exchange.writer.finish(data, Finish::Close),
            Err(failure) => {
                let response = failure.into_response(&exchange.request);
                exchange.respond(response);
            }
        }
    }
}

/// The content of an `.asis` file.
fn as_is(request: &Request, path: &Path) -> Result<Bytes, Failure> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        let reason = format!("{} is a directory; an .asis route serves files", path.display());
        return Err(Failure::Server(reason));
    }
    // Looked at before it is opened: to open a named pipe would wait for its other end.
    if !metadata.is_file() {
        return Err(Failure::Missing);
    }
    Ok(request.environment.files.read(path)?.0)
}

/// The file that a request's path names under its document root; `None` when the path has `..`
/// anywhere, or a NUL. Symbolic links are followed.
pub fn file_system_path(request: &Request) -> Option<PathBuf> {
    let path = request.path();
    if path.windows(2).any(|pair| pair == b"..") || path.contains(&0) {
        return None;
    }
    let relative = path.strip_prefix(request.url_base.as_bytes()).unwrap_or(path);
    // Joining an absolute path would leave the root.
    if relative.starts_with(b"/") {
        return None;
    }
    Some(request.doc_root().join(OsStr::from_bytes(relative)))
}

impl FileHandler {
    /// The response to a request for a file or a directory.
    pub fn response(self, request: &Request) -> Response {
        let Some(path) = file_system_path(request) else {
            return not_found();
        };
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => return unopened(request, error),
        };
        if metadata.is_dir() {
            return directory(request, &path);
        }
        // A trailing slash names a directory, which this is not.
        if !metadata.is_file() || request.path().ends_with(b"/") {
            return not_found();
        }
        let response = self.file(request, &path, &metadata);
        response.unwrap_or_else(|failure| failure.into_response(request))
    }

    fn file(
        self,
        request: &Request,
        path: &Path,
        metadata: &Metadata,
    ) -> Result<Response, Failure> {
        let files = &request.environment.files;
        let mut response = Response::new(200, "");
        response.headers = files.headers(path, metadata, |folder| {
            let read = headers_files::read(files, folder, request, path)?;
            let list = header_list(path, read.fields);
            Ok::<_, Failure>(Made { list, sources: read.sources })
        })?;
        if self.validators
            && let Some(fresh) = validate(request, &mut response, metadata)
        {
            return Ok(fresh);
        }
        let range = request.headers().get(b"range");
        let pipes = {
            let query = request.query().map(AsRef::as_ref);
            pipes::pipe_string(path.as_os_str().as_bytes(), query)
        };
        let changes = range.is_some() || pipes.is_some() || request.injection.is_some();
        if !changes && request.is_head() {
            // Only the length is wanted.
            response.body = Body::Unread { length: metadata.len() };
            return Ok(response);
        }
        response.body = match files.content(path, metadata)? {
            Content::Small(data) => Body::Bytes(data),
            Content::Large(file) => Body::File { file, length: metadata.len() },
        };
        if let Some(range) = range {
            ranges::apply(range, &mut response, metadata.len())?;
        }
        if let Some(pipes) = pipes {
            pipes::apply(&pipes, request, &mut response)
                .map_err(|error| Failure::Server(error.to_string()))?;
        }
        if let Some(injection) = &request.injection {
            injection.apply(&mut response)?;
        }
        Ok(response)
    }
}

/// The header list of a file: the fields of its `.headers` files, behind its media type where they
/// say none.
fn header_list(path: &Path, fields: Vec<(Bytes, Bytes)>) -> HeaderList {
    let mut list = HeaderList::with_capacity(fields.len() + 1);
    if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"content-type")) {
        list.push(
            "Content-Type",
            mime::content_type(path.file_name().unwrap_or_default().as_bytes()),
        );
    }
    for (name, value) in fields {
        list.append(name, value);
    }
    list
}

/// Why a file is not sent.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It is not there.
    #[error("there is no such file")]
    Missing,
    /// It is there, and this user may not read it.
    #[error("{0}")]
    Forbidden(io::Error),
    /// The system cannot open or read it just now: it is short of something, or a disk fails.
    #[error("{0}")]
    Unavailable(io::Error),
    /// An error with this status and message.
    #[error("{1}")]
    Status(u16, String),
    /// A range that a file of this size cannot satisfy.
    #[error("{0}")]
    Range(String, u64),
    /// The server's own side is at fault: a `.headers` file, a template, a pipe.
    #[error("{0}")]
    Server(String),
}

impl Failure {
    /// The response that tells it.
    pub(crate) fn into_response(self, request: &Request) -> Response {
        match self {
            Self::Missing => not_found(),
            // As the reference answers; the log says what is behind it.
            Self::Forbidden(error) => {
                tell_unopened(request, &error, 404);
                not_found()
            }
            Self::Unavailable(error) => {
                tell_unopened(request, &error, 503);
                Response::error(503, "the file cannot be opened just now")
            }
            Self::Status(status, message) => Response::error(status, &message),
            Self::Range(message, size) => {
                Response::error(416, &message).with("Content-Range", format!("bytes */{size}"))
            }
            Self::Server(reason) => failure(request, &reason),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What a path may come to that names nothing.
            ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidFilename
            | ErrorKind::InvalidInput => Self::Missing,
            _ if Errno::from_io_error(&error) == Some(Errno::LOOP) => Self::Missing,
            ErrorKind::PermissionDenied => Self::Forbidden(error),
            _ => Self::Unavailable(error),
        }
    }
}

/// The response to a request whose file the system does not open.
pub fn unopened(request: &Request, error: io::Error) -> Response {
    Failure::from(error).into_response(request)
}

fn tell_unopened(request: &Request, error: &io::Error, status: u16) {
    let text = format!(
        "what {} needs cannot be opened: {error}; answered with {status}",
        request.display_url()
    );
    let environment = &request.environment;
    environment.refusals.tell(environment.events.as_ref(), "files", &text);
}

fn not_found() -> Response {
    Response::error(404, "404")
}

/// A 500 that says what failed, in the form of the reference's.
pub(crate) fn failure(request: &Request, reason: &str) -> Response {
    let url = request.display_url();
    let message = format!("Internal server error loading {url}:\n  {reason}");
    request.environment.events.emit(&crate::event::Event::HandlerFailed {
        url: &url,
        location: None,
        message: &message,
    });
    Response::error(500, &message)
}

fn directory(request: &Request, path: &Path) -> Response {
    let url_path = &request.head.target.path;
    if !url_path.ends_with(b"/") {
        return Response::new(301, "").with("Location", with_slash(request));
    }
    match list(path) {
        Ok(entries) => Response::new(200, listing::render_listing(url_path, entries))
            .with("Content-Type", "text/html"),
        Err(error) => match Failure::from(error) {
            unavailable @ Failure::Unavailable(_) => unavailable.into_response(request),
            other => failure(request, &format!("the directory cannot be listed: {other}")),
        },
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

/// Adds `ETag` and Last-Modified (RFC 9110, section 8.8), and answers a conditional request for
/// what the client has already.
fn validate(request: &Request, response: &mut Response, metadata: &Metadata) -> Option<Response> {
    let age = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let etag = Bytes::from(format!("\"{:x}-{:x}\"", age.as_nanos(), metadata.len()));
    let modified = date::http_date(age.as_secs());
    response.headers.set("ETag", etag.clone());
    response.headers.set("Last-Modified", modified.clone());
    let headers = request.headers();
    let fresh = match headers.get(b"if-none-match") {
        // If-Modified-Since does not count beside it.
        Some(tags) => tags
            .split(|&byte| byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == etag.as_ref()),
        None => {
            headers.get(b"if-modified-since").is_some_and(|since| **since == *modified.as_bytes())
        }
    };
    fresh.then(|| {
        let mut fresh = Response::new(304, "");
        fresh.body = Body::None;
        fresh.headers = response.headers.clone();
        fresh.headers.remove(b"content-type");
        fresh
    })
}
