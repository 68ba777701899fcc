//! Files, directories and `.asis` files of the document root.

use std::{
    ffi::OsStr,
    fs::{self, Metadata},
    io::{self, ErrorKind, Read},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use proto::{HeaderList, date, listing};
use rustix::io::Errno;

use crate::{
    Exchange, Finish, Handler, Request, Response,
    blocking::{self, Job},
    file_cache::{Content, Opened},
    headers_files,
    parts::Parts,
    pipes, ranges,
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
        let Some(path) = file_system_path(request) else {
            return Some(not_found());
        };
        let file = request.environment.files.at_hand(&path)?;
        let query = request.query().map(AsRef::as_ref);
        if !pipes::are_quick_for(path.as_os_str().as_bytes(), query, Some(&file.data)) {
            return None;
        }
        let job = Job::of(request);
        let response =
            self.file(&job, &path, &file.metadata, &file.headers.list, Body::Bytes(file.data));
        Some(response.unwrap_or_else(|failure| failure.into_response(&job)))
    }

    fn handle(&self, exchange: Exchange) {
        let handler = *self;
        let query = exchange.request.query().map(AsRef::as_ref);
        let computes = !pipes::are_quick_for(exchange.request.path(), query, None);
        let lane = if computes { &blocking::CODECS } else { &blocking::FILES };
        exchange.respond_from(lane, move |job| handler.respond_to(job));
    }
}

/// Sends a file's bytes as the whole response, then closes the connection.
#[derive(Debug, Clone, Copy, Default)]
pub struct AsIsHandler;

impl Handler for AsIsHandler {
    fn handle(&self, exchange: Exchange) {
        exchange.run_on(&blocking::FILES, send_as_it_is);
    }
}

fn send_as_it_is(mut exchange: Exchange) {
    let Some(path) = file_system_path(&exchange.request) else {
        return exchange.respond(not_found());
    };
    if path.is_dir() {
        let reason = format!("{} is a directory; an .asis route serves files", path.display());
        let response = failure(&Job::of(&exchange.request), &reason);
        return exchange.respond(response);
    }
    let content = match exchange.request.environment.files.open(&path) {
        Ok(Opened { content: Content::Small(data), .. }) => {
            return exchange.writer.finish(data, Finish::Close);
        }
        Ok(Opened { content: Content::Large(file), metadata, .. }) => {
            Parts::of_file(file, metadata.len())
        }
        Err(error) => {
            let response = Failure::from(error).into_response(&Job::of(&exchange.request));
            return exchange.respond(response);
        }
    };
    let job = Job::of(&exchange.request);
    let mut content = content.reader(&job);
    let mut block = vec![0; BLOCK];
    loop {
        match content.read(&mut block) {
            Ok(0) => return exchange.writer.finish(Bytes::new(), Finish::Close),
            Ok(length) => {
                let block = Bytes::copy_from_slice(&block[..length]);
                if exchange.writer.send(block).is_err() {
                    return;
                }
            }
            Err(_) => return exchange.writer.finish(Bytes::new(), Finish::Abort),
        }
    }
}

/// How much of a large file is read at once.
const BLOCK: usize = 64 * 1024;

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
    /// The response to a request for a file or a directory. It may wait for a disk.
    pub fn response(self, request: &Request) -> Response {
        self.respond_to(&Job::of(request))
    }

    fn respond_to(self, job: &Job<'_>) -> Response {
        self.found(job).unwrap_or_else(|failure| failure.into_response(job))
    }

    fn found(self, job: &Job<'_>) -> Result<Response, Failure> {
        let request = job.request;
        let path = file_system_path(request).ok_or(Failure::Missing)?;
        if fs::metadata(&path)?.is_dir() {
            return Ok(directory(job, &path));
        }
        // A trailing slash names a directory, which this is not.
        if request.path().ends_with(b"/") {
            return Err(Failure::Missing);
        }
        let Opened { metadata, content, .. } = request.environment.files.open(&path)?;
        let headers = headers_files::header_list(job, &path, &metadata)?;
        let body = match content {
            Content::Small(data) => Body::Bytes(data),
            Content::Large(file) => Body::Parts(Parts::of_file(file, metadata.len())),
        };
        self.file(job, &path, &metadata, &headers.list, body)
    }

    /// The response to a request for a file with this content.
    fn file(
        self,
        job: &Job<'_>,
        path: &Path,
        metadata: &Metadata,
        headers: &HeaderList,
        content: Body,
    ) -> Result<Response, Failure> {
        let request = job.request;
        let mut response = Response::new(200, "");
        response.headers = headers.clone();
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
        response.body = content;
        if let Some(range) = range {
            ranges::apply(range, &mut response, metadata.len())?;
        }
        if let Some(pipes) = pipes {
            pipes::apply(&pipes, job, &mut response)
                .map_err(|error| Failure::Server(error.to_string()))?;
        }
        if let Some(injection) = &request.injection {
            injection.apply(&mut response)?;
        }
        Ok(response)
    }
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
    pub(crate) fn into_response(self, job: &Job<'_>) -> Response {
        match self {
            Self::Missing => not_found(),
            // As the reference answers; the log says what is behind it.
            Self::Forbidden(error) => {
                tell_unopened(job, &error, 404);
                not_found()
            }
            Self::Unavailable(error) => {
                tell_unopened(job, &error, 503);
                Response::error(503, "the file cannot be opened just now")
            }
            Self::Status(status, message) => Response::error(status, &message),
            Self::Range(message, size) => {
                Response::error(416, &message).with("Content-Range", format!("bytes */{size}"))
            }
            Self::Server(reason) => failure(job, &reason),
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
    Failure::from(error).into_response(&Job::of(request))
}

fn tell_unopened(job: &Job<'_>, error: &io::Error, status: u16) {
    // Work that nobody waits for has ended, not failed.
    if job.is_given_up() {
        return;
    }
    let request = job.request;
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
pub(crate) fn failure(job: &Job<'_>, reason: &str) -> Response {
    let url = job.request.display_url();
    let message = format!("Internal server error loading {url}:\n  {reason}");
    // Work that nobody waits for has ended, not failed.
    if !job.is_given_up() {
        job.request.environment.events.emit(&crate::event::Event::HandlerFailed {
            url: &url,
            location: None,
            message: &message,
        });
    }
    Response::error(500, &message)
}

fn directory(job: &Job<'_>, path: &Path) -> Response {
    let request = job.request;
    let url_path = &request.head.target.path;
    if !url_path.ends_with(b"/") {
        return Response::new(301, "").with("Location", with_slash(request));
    }
    match list(path) {
        Ok(entries) => Response::new(200, listing::render_listing(url_path, entries))
            .with("Content-Type", "text/html"),
        Err(error) => match Failure::from(error) {
            unavailable @ Failure::Unavailable(_) => unavailable.into_response(job),
            other => failure(job, &format!("the directory cannot be listed: {other}")),
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
            let kind = entry.file_type()?;
            let is_dir = kind.is_dir() || kind.is_symlink() && entry.path().is_dir();
            Ok(listing::Entry { is_dir, name: entry.file_name().into_vec() })
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
