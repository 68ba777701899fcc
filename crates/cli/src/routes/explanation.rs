//! What answers a request, and why.

use std::{
    borrow::Cow,
    ffi::OsString,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use proto::pipe::{self, PipeCall};
use serde_json::{Value, json};
use server::{
    Request, Response, Router,
    files::{FileHandler, file_system_path},
    generated::{Edition, GeneratedHandler},
    latin1, pipes,
    router::{RewriteRule, Route},
};

use super::{directory, rewrite_json, route_json};

/// What answers a request, step by step.
pub(super) struct Explanation<'a> {
    pub(super) method: String,
    /// The target as it was asked for.
    pub(super) target: String,
    pub(super) rewrite: Option<&'a RewriteRule>,
    /// The decoded path, after the rewrite.
    pub(super) path: String,
    /// Routes before the one that answers which match the path but not the method.
    pub(super) passed: Vec<(usize, &'a Route)>,
    /// The route that answers, with its number from 1 on.
    pub(super) route: Option<(usize, &'a Route)>,
    /// How many routes there are.
    pub(super) routes: usize,
    pub(super) place: Option<Place>,
    pub(super) pipes: Vec<PipeUse>,
    pub(super) answer: Answer,
    root: PathBuf,
}

/// Where a route that reads files leads to.
pub(super) struct Place {
    /// The directory that stands for the URL base.
    pub(super) directory: PathBuf,
    /// The file or directory; `None` when the path names none.
    pub(super) path: Option<PathBuf>,
    pub(super) kind: Kind,
    /// How values are escaped, when it is a template.
    pub(super) template: Option<&'static str>,
    /// The `.headers` files that apply, in order.
    pub(super) headers_files: Vec<PathBuf>,
}

/// What is found at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// A socket, a named pipe or a device.
    Special,
    Missing,
    /// The path may not be followed.
    Forbidden,
}

/// A pipe that applies.
pub(super) struct PipeUse {
    /// The call, as it would be written.
    pub(super) call: String,
    /// `name` or `query`.
    pub(super) origin: &'static str,
    /// What is wrong with it.
    pub(super) problem: Option<String>,
}

/// What is sent.
pub(super) enum Answer {
    /// This response.
    Known {
        status: i64,
        content_type: Option<String>,
        length: Option<u64>,
        message: Option<String>,
    },
    /// What the file's `main` returns.
    Handler,
    /// The bytes of a file.
    AsIs,
}

impl<'a> Explanation<'a> {
    pub(super) fn of(router: &'a Router, mut request: Request) -> Self {
        let method = latin1(&request.head.method);
        let target = latin1(&request.head.raw_target);
        let rewrite = router.rewrite(&request.head.method, &request.head.target.path);
        // Sets what the handler sees.
        let answered = router.route(&mut request).is_some();
        let mut passed = Vec::new();
        let mut route = None;
        for (number, candidate) in (1..).zip(router.routes()) {
            if candidate.pattern.matches(request.path()).is_none() {
                continue;
            }
            if candidate.method.matches(&request.head.method) {
                route = Some((number, candidate));
                break;
            }
            passed.push((number, candidate));
        }
        debug_assert_eq!(answered, route.is_some());
        let root = request.environment.doc_root.clone();
        let place = route.and_then(|(_, route)| Place::of(route, &request));
        let name = route.map(|(_, route)| route.name.as_str());
        let pipes = match (&place, name) {
            (Some(place), Some(name)) if place.kind == Kind::File && name != "asis" => {
                pipe_uses(place, &request)
            }
            _ => Vec::new(),
        };
        let answer = answer(route.map(|(_, route)| route), place.as_ref(), &request);
        Self {
            method,
            target,
            rewrite,
            path: String::from_utf8_lossy(request.path()).into_owned(),
            passed,
            route,
            routes: router.routes().len(),
            place,
            pipes,
            answer,
            root,
        }
    }

    /// The explanation for programs.
    pub(super) fn json(&self) -> Value {
        let numbered = |&(number, route): &(usize, &Route)| {
            let mut value = route_json(route, &self.root);
            value["number"] = number.into();
            value
        };
        let pipes: Vec<Value> = self
            .pipes
            .iter()
            .map(|pipe| json!({"call": pipe.call, "origin": pipe.origin, "problem": pipe.problem}))
            .collect();
        json!({
            "method": self.method,
            "target": self.target,
            "rewrite": self.rewrite.map(rewrite_json),
            "path": self.path,
            "passed_over": self.passed.iter().map(numbered).collect::<Vec<_>>(),
            "route": self.route.as_ref().map(numbered),
            "file": self.place.as_ref().map(Place::json),
            "pipes": pipes,
            "answer": self.answer.json(),
        })
    }
}

impl Place {
    fn of(route: &Route, request: &Request) -> Option<Self> {
        let directory = directory(route, &request.environment.doc_root)?.to_owned();
        let page = generated(route, request);
        let path = match &page {
            Some(page) => page.source(request),
            None => file_system_path(request),
        };
        let kind = match path.as_deref().map(fs::metadata) {
            None => Kind::Forbidden,
            Some(Err(_)) => Kind::Missing,
            Some(Ok(metadata)) if metadata.is_dir() => Kind::Directory,
            // A trailing slash names a directory, which this is not.
            Some(Ok(_)) if request.path().ends_with(b"/") => Kind::Missing,
            Some(Ok(metadata)) if metadata.is_file() => Kind::File,
            Some(Ok(_)) => Kind::Special,
        };
        let file = path.as_deref().filter(|_| kind == Kind::File && route.name != "asis");
        let template = file
            .filter(|_| page.is_none())
            .map(|path| path.as_os_str().as_bytes())
            .filter(|path| proto::template::is_template(path))
            .map(|path| match proto::template::escape_for(path) {
                proto::template::Escape::Html => "html",
                proto::template::Escape::None => "none",
            });
        let headers_files = match file {
            Some(file) if route.name == "file" || page.is_some() => headers_files(file),
            _ => Vec::new(),
        };
        Some(Self { directory, path, kind, template, headers_files })
    }

    fn json(&self) -> Value {
        let kind = match self.kind {
            Kind::File => "file",
            Kind::Directory => "directory",
            Kind::Special => "special",
            Kind::Missing => "missing",
            Kind::Forbidden => "forbidden",
        };
        let headers_files: Vec<_> =
            self.headers_files.iter().map(|path| path.to_string_lossy()).collect();
        json!({
            "path": self.path.as_ref().map(|path| path.to_string_lossy()),
            "kind": kind,
            "template": self.template,
            "headers_files": headers_files,
        })
    }
}

/// The `.headers` files of a file: the folder's, then its own; of each the template, if there is
/// one, in place of the plain one.
fn headers_files(file: &Path) -> Vec<PathBuf> {
    let of = |path: &Path| {
        let ending = |ending: &str| {
            let mut name = OsString::from(path);
            name.push(ending);
            PathBuf::from(name)
        };
        [ending(".sub.headers"), ending(".headers")].into_iter().find(|path| path.exists())
    };
    [of(&file.with_file_name("__dir__")), of(file)].into_iter().flatten().collect()
}

/// What answers a route of generated pages.
fn generated(route: &Route, request: &Request) -> Option<GeneratedHandler> {
    let edition = Edition::of(&request.environment.doc_root);
    GeneratedHandler::all(edition).find(|page| page.kind().name == route.name)
}

/// The pipes of the file's name, then those of the query.
fn pipe_uses(place: &Place, request: &Request) -> Vec<PipeUse> {
    let path = place.path.as_ref().map(|path| path.as_os_str().as_bytes()).unwrap_or_default();
    let of_name = pipes::pipe_string(path, None);
    let of_query = request.query().and_then(|query| pipe::pipe_query(query));
    let mut uses = Vec::new();
    for (origin, text) in [("name", of_name), ("query", of_query.map(Cow::Owned))] {
        let Some(text) = text else { continue };
        match pipe::parse_pipes(&text) {
            Ok(calls) => uses.extend(calls.iter().map(|call| PipeUse::of(call, origin))),
            Err(error) => {
                let problem = Some(error.to_string());
                uses.push(PipeUse { call: text.into_owned(), origin, problem });
            }
        }
    }
    uses
}

impl PipeUse {
    fn of(call: &PipeCall, origin: &'static str) -> Self {
        let arguments: Vec<String> = call
            .arguments
            .iter()
            .map(|argument| {
                argument
                    .chars()
                    .flat_map(|character| match character {
                        '\n' => vec!['\\', 'n'],
                        '\r' => vec!['\\', 'r'],
                        '\t' => vec!['\\', 't'],
                        ',' | ')' | '\\' => vec!['\\', character],
                        character => vec![character],
                    })
                    .collect()
            })
            .collect();
        let text = match arguments.as_slice() {
            [] => call.name.clone(),
            arguments => format!("{}({})", call.name, arguments.join(",")),
        };
        Self { call: text, origin, problem: problem(call) }
    }
}

/// Why a pipe cannot be applied, as far as its name and the number of its arguments tell.
fn problem(call: &PipeCall) -> Option<String> {
    let pipe = match pipes::find(&call.name) {
        Ok(pipe) => pipe,
        Err(error) => {
            let nearest = pipes::PIPES
                .iter()
                .map(|pipe| (strsim::jaro_winkler(&call.name, pipe.name()), pipe.name()))
                .filter(|(likeness, _)| *likeness > 0.7)
                .max_by(|(a, _), (b, _)| a.total_cmp(b));
            return Some(match nearest {
                Some((_, name)) => format!("{error}; is `{name}` meant?"),
                None => error.to_string(),
            });
        }
    };
    let (arity, given) = (pipe.arity(), call.arguments.len());
    if arity.contains(&given) {
        return None;
    }
    let arguments = |count: usize| match count {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        count => format!("{count} arguments"),
    };
    let takes = match (*arity.start(), *arity.end()) {
        (least, usize::MAX) => format!("at least {}", arguments(least)),
        (least, most) if least == most => arguments(least),
        (least, most) => format!("{least} to {}", arguments(most)),
    };
    Some(format!("`{}` takes {takes}, not {given}", call.name))
}

/// What is sent, as far as it is known without Python.
fn answer(route: Option<&Route>, place: Option<&Place>, request: &Request) -> Answer {
    let Some(route) = route else {
        return Answer::of(Response::error(404, ""));
    };
    if let Some(page) = generated(route, request) {
        return Answer::of(page.response(request));
    }
    let kind = place.map(|place| place.kind);
    match route.name.as_str() {
        "file" => Answer::of(FileHandler::default().response(request)),
        "python" if kind == Some(Kind::File) => Answer::Handler,
        "asis" if kind == Some(Kind::File) => Answer::AsIs,
        "asis" if kind == Some(Kind::Directory) => Answer::of(Response::error(500, "")),
        "python" | "asis" => Answer::of(Response::error(404, "")),
        other => {
            // `error STATUS`, or `string`.
            let status = other.strip_prefix("error ").and_then(|status| status.parse().ok());
            Answer::Known {
                status: status.unwrap_or(200),
                content_type: None,
                length: None,
                message: None,
            }
        }
    }
}

impl Answer {
    fn of(response: Response) -> Self {
        let text = |name: &[u8]| response.headers.get(name).map(|value| latin1(value));
        let location = text(b"location").map(|location| format!("to {location}"));
        let (status, content_type, length) =
            (response.status, text(b"content-type"), response.body.length());
        // A file's own status may be an error's: only the server's are JSON with a message.
        let reason = (status >= 400 && content_type.as_deref() == Some("application/json"))
            .then(|| response.body.read().ok())
            .flatten()
            .and_then(|body| serde_json::from_slice::<Value>(&body).ok())
            .and_then(|body| body["error"]["message"].as_str().map(str::to_owned))
            .filter(|message| !message.is_empty() && *message != status.to_string())
            // The first line of several names the URL, which is known.
            .map(|message| match message.split_once('\n') {
                Some((_, rest)) => rest.trim().to_owned(),
                None => message,
            });
        Self::Known { status, content_type, length, message: location.or(reason) }
    }

    fn json(&self) -> Value {
        match self {
            Self::Known { status, content_type, length, message } => json!({
                "by": "server", "status": status, "content_type": content_type,
                "length": length, "message": message,
            }),
            Self::Handler => json!({"by": "python"}),
            Self::AsIs => json!({"by": "asis"}),
        }
    }
}
