//! Generated pages: what runs a test's script in a window, a worker or another scope.
//!
//! [`KINDS`] is the one table of them. A request's path names the page; its ending says which file
//! has the script, and what the page loads: that file, or another generated script.

mod edition;
mod kinds;
mod lines;

use std::{
    collections::HashSet,
    fs,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use proto::{
    percent,
    script_metadata::{is_exposed, lost_metadata, script_metadata},
};

use crate::{
    Exchange, Handler, Request, Response,
    blocking::{self, Job},
    event::{Event, Level},
    file_cache::AtHand,
    files::{Failure, file_system_path},
    headers_files::{header_list, load_headers},
    latin1, pipes,
};

pub use edition::Edition;
pub use kinds::{Ending, KINDS, Kind};
pub use lines::Lines;

/// Answers with pages of one kind.
#[derive(Debug, Clone)]
pub struct GeneratedHandler {
    kind: &'static Kind,
    edition: Edition,
    /// The scripts of which it was told that they lose metadata.
    told: Arc<Mutex<HashSet<PathBuf>>>,
}

impl Handler for GeneratedHandler {
    fn answer(&self, request: &Request) -> Option<Response> {
        let Some(source) = self.source(request) else {
            return Some(Failure::Missing.into_response(&Job::of(request)));
        };
        let AtHand { headers, data, .. } = request.environment.files.at_hand(&source)?;
        // The page is about as long as its script.
        let query = request.query().map(AsRef::as_ref);
        if !pipes::are_quick_for(request.path(), query, Some(&data)) {
            return None;
        }
        let job = Job::of(request);
        let page = self.page(&job, &source, &headers.fields, &data);
        Some(page.unwrap_or_else(|failure| failure.into_response(&job)))
    }

    fn handle(&self, exchange: Exchange) {
        let handler = self.clone();
        let query = exchange.request.query().map(AsRef::as_ref);
        let computes = !pipes::are_quick_for(exchange.request.path(), query, None);
        let lane = if computes { &blocking::CODECS } else { &blocking::FILES };
        exchange.respond_from(lane, move |job| handler.respond_to(job));
    }
}

impl GeneratedHandler {
    /// The handlers of all kinds that an edition has, in the order of the routes.
    pub fn all(edition: Edition) -> impl Iterator<Item = Self> {
        let kinds = KINDS.iter().filter(move |kind| (kind.since..=kind.until).contains(&edition));
        let told = Arc::default();
        kinds.map(move |kind| Self { kind, edition, told: Arc::clone(&told) })
    }

    /// The kind.
    pub fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// The file that has the script of the page which is asked for; `None` when its path may not
    /// be followed.
    pub fn source(&self, request: &Request) -> Option<PathBuf> {
        let path = file_system_path(request)?.into_os_string().into_vec();
        let path = self.kind.replaced(path, |ending| ending.source);
        Some(PathBuf::from(std::ffi::OsString::from_vec(path)))
    }

    /// The response to a request for a page. It may wait for a disk.
    pub fn response(&self, request: &Request) -> Response {
        self.respond_to(&Job::of(request))
    }

    fn respond_to(&self, job: &Job<'_>) -> Response {
        self.found(job).unwrap_or_else(|failure| failure.into_response(job))
    }

    fn found(&self, job: &Job<'_>) -> Result<Response, Failure> {
        let source = self.source(job.request).ok_or(Failure::Missing)?;
        let metadata = match fs::metadata(&source) {
            Ok(metadata) => metadata,
            Err(error) => {
                // As in the reference a script is missed when its headers are in order.
                load_headers(job, &source)?;
                return Err(error.into());
            }
        };
        let headers = header_list(job, &source, &metadata)?;
        let (script, _stamp) = job.request.environment.files.read(&source)?;
        self.page(job, &source, &headers.fields, &script)
    }

    /// The page for a script with these fields of its `.headers` files.
    fn page(
        &self,
        job: &Job<'_>,
        source: &Path,
        fields: &[(Bytes, Bytes)],
        script: &[u8],
    ) -> Result<Response, Failure> {
        let (kind, request) = (self.kind, job.request);
        let mut response = Response::new(200, "");
        for &(name, value) in kind.headers {
            response.headers.push(name, value);
        }
        for (name, value) in fields {
            response.headers.set(name.clone(), value.clone());
        }
        self.tell_lost_metadata(request, script, source);
        let told = |reason: String| Failure::Server(format!("{}: {reason}", source.display()));
        kind.check_exposure(script).map_err(|failure| match failure {
            Failure::Server(reason) => told(reason),
            other => other,
        })?;
        let name = source.as_os_str().as_bytes();
        let made = kind.lines.of(script, name, self.edition).map_err(told)?;
        let path = kind.replaced_in_url(&request.head.target.path, |ending| ending.resource);
        let query = request.query().filter(|query| !query.is_empty());
        let query = query.map_or_else(String::new, |query| format!("?{}", latin1(query)));
        let realms = if self.edition >= Edition::ShadowRealm { IS_SHADOW_REALM } else { "" };
        let page = fill(
            kind.text,
            &[
                ("@META@", &made.meta),
                ("@SCRIPT@", &made.script),
                ("@PATH@", &latin1(&path)),
                ("@QUERY@", &query),
                ("@IS_SHADOW_REALM@", realms),
            ],
        );
        response.body = crate::response::Body::Bytes(Bytes::from(page));
        // The name that counts for templates is that of what the page loads.
        pipes::apply_for(&path, job, &mut response)
            .map_err(|error| Failure::Server(error.to_string()))?;
        if let Some(injection) = &request.injection {
            injection.apply(&mut response)?;
        }
        Ok(response)
    }
}

impl GeneratedHandler {
    /// Warns once of a script that loses metadata: it is served as upstream does, and a test that
    /// ends too early has its reason in the log.
    fn tell_lost_metadata(&self, request: &Request, script: &[u8], source: &Path) {
        let Some(loss) = lost_metadata(script) else { return };
        // Nothing panics while it holds this.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(source.to_owned()) {
            let text = format!("{}:{}: {}", source.display(), loss.line, loss.reason);
            let level = Level::Warning;
            request.environment.events.emit(&Event::Message { level, source: "meta", text: &text });
        }
    }
}

impl Kind {
    /// A path with the ending of something else.
    fn replaced(&self, mut path: Vec<u8>, by: fn(&Ending) -> &'static str) -> Vec<u8> {
        // As in the reference the endings are replaced in turn; one may leave the next.
        for ending in self.endings {
            if path.ends_with(ending.url.as_bytes()) {
                path.truncate(path.len() - ending.url.len());
                path.extend_from_slice(by(ending).as_bytes());
            }
        }
        path
    }

    /// The same for the path of a URL. The kind was found by the decoded path: an ending counts
    /// whether it is escaped or not, and what is before it stays as it is.
    fn replaced_in_url(&self, path: &[u8], by: fn(&Ending) -> &'static str) -> Vec<u8> {
        let mut path = path.to_vec();
        for ending in self.endings {
            if let Some(at) = start_of_ending(&path, ending.url.as_bytes()) {
                path.truncate(at);
                path.extend_from_slice(by(ending).as_bytes());
            }
        }
        path
    }

    /// Whether the script is a test in this scope; the first `global` key says so.
    fn check_exposure(&self, script: &[u8]) -> Result<(), Failure> {
        let Some(scope) = self.scope else { return Ok(()) };
        let mut global = "";
        for comment in script_metadata(script) {
            let (key, value) = comment.map_err(|error| Failure::Server(error.to_string()))?;
            if key == "global" {
                global = value;
                break;
            }
        }
        if is_exposed(global, scope) {
            return Ok(());
        }
        // As the reference writes its exception's arguments: they reach the client.
        let message = format!("(404, 'This test cannot be loaded in {scope} mode')");
        Err(Failure::Status(404, message))
    }
}

/// Where the ending of a path begins that is this one once it is decoded.
fn start_of_ending(path: &[u8], ending: &[u8]) -> Option<usize> {
    let mut starts = Vec::with_capacity(path.len());
    let mut at = 0;
    while let Some(rest) = path.get(at..).filter(|rest| !rest.is_empty()) {
        starts.push(at);
        let escape = rest.first_chunk::<3>().filter(|start| percent::decode(*start).len() == 1);
        at += escape.map_or(1, |escape| escape.len());
    }
    let start = *starts.get(starts.len().checked_sub(ending.len())?)?;
    (*percent::decode(&path[start..]) == *ending).then_some(start)
}

/// A text with its marks replaced. What is put in is not looked at again.
fn fill(text: &str, marks: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 256);
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        if let Some((mark, value)) = marks.iter().find(|(mark, _)| from.starts_with(mark)) {
            filled.push_str(value);
            rest = &from[mark.len()..];
        } else {
            filled.push('@');
            rest = &from[1..];
        }
    }
    filled + rest
}

/// The line of `self.GLOBAL` that came with shadow realms.
const IS_SHADOW_REALM: &str = "  isShadowRealm: function() { return false; },\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_not_looked_at_again() {
        let marks = [("@PATH@", "@QUERY@"), ("@QUERY@", "?@PATH@")];
        assert_eq!(fill("a @PATH@@QUERY@ @x", &marks), "a @QUERY@?@PATH@ @x");
    }

    #[test]
    fn every_kind_has_a_name_a_pattern_and_endings_of_its_own() {
        for field in [|kind: &Kind| kind.name, |kind: &Kind| kind.pattern] {
            let mut all: Vec<_> = KINDS.iter().map(field).collect();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), KINDS.len());
        }
        for kind in KINDS {
            assert!(!kind.endings.is_empty() && kind.pattern.starts_with("*."), "{}", kind.name);
            let marks = ["@META@", "@SCRIPT@", "@PATH@", "@QUERY@", "@IS_SHADOW_REALM@"];
            let empty = marks.map(|mark| (mark, ""));
            assert!(!fill(kind.text, &empty).contains('@'), "{}", kind.name);
        }
    }

    #[test]
    fn an_ending_counts_in_a_url_whether_it_is_escaped_or_not() {
        let kind = KINDS.iter().find(|kind| kind.pattern == "*.worker.html").unwrap();
        let replaced = |path: &str| {
            String::from_utf8(kind.replaced_in_url(path.as_bytes(), |e| e.resource)).unwrap()
        };
        assert_eq!(replaced("/a%20b.worker.html"), "/a%20b.worker.js");
        assert_eq!(replaced("/a%20%2fb%2Eworker%2ehtml"), "/a%20%2fb.worker.js");
        assert_eq!(replaced("/%2541.any.worker.%68tml"), "/%2541.any.worker.js");
        assert_eq!(replaced("/a%.worker.html%2"), "/a%.worker.html%2");
        assert_eq!(replaced("html"), "html");
    }

    #[test]
    fn endings_are_replaced_in_turn() {
        let replaced = |pattern: &str, path: &str| {
            let kind = KINDS.iter().find(|kind| kind.pattern == pattern).unwrap();
            [|e: &Ending| e.source, |e: &Ending| e.resource]
                .map(|by| String::from_utf8(kind.replaced(path.into(), by)).unwrap())
        };
        assert_eq!(replaced("*.worker.html", "a.any.worker.html"), ["a.any.js", "a.any.worker.js"]);
        assert_eq!(replaced("*.worker.html", "a.worker.html"), ["a.worker.js", "a.worker.js"]);
        let audio = "*.any.shadowrealm-in-audioworklet.html";
        let page = "a.https.any.shadowrealm-in-audioworklet.html";
        assert_eq!(replaced(audio, page), ["a.any.js", "a.any.audioworklet-shadowrealm.js"]);
        let page = "a.any.shadowrealm-in-audioworklet.html";
        assert_eq!(replaced(audio, page), [page, page]);
    }
}
