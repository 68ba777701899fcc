//! `sub([escape])`: substitutes what stands between `{{` and `}}`.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{self, Read},
    ops::RangeInclusive,
    path::{Component, Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use proto::template::{Escape, Index, Segment, Token, segments, settled_length, tokens};
use serde_json::Value as Json;
use sha2::Digest;

use super::{Pipe, made_content, nullable, take_content};
use crate::{Request, Response, blocking::Job, latin1, parts::Parts, regular_file, response::Body};

pub(super) struct Sub;

impl Pipe for Sub {
    fn name(&self) -> &'static str {
        "sub"
    }

    fn arity(&self) -> RangeInclusive<usize> {
        0..=1
    }

    fn reads_content(&self) -> bool {
        true
    }

    fn is_quick(&self, content: Option<&[u8]>) -> bool {
        // The one function that reads files.
        let reads_files = |content: &[u8]| content.windows(9).any(|word| word == b"file_hash");
        content.is_some_and(|content| content.len() <= QUICK && !reads_files(content))
    }

    fn apply(
        &self,
        job: &Job<'_>,
        response: &mut Response,
        arguments: &[String],
    ) -> Result<(), String> {
        let escape = match arguments.first().map(|argument| nullable(argument)) {
            None | Some(Some("html")) => Escape::Html,
            Some(Some("none")) => Escape::None,
            Some(other) => {
                let other = other.unwrap_or("null");
                return Err(format!("`{other}` is no escaping; there are `html` and `none`"));
            }
        };
        let content = take_content(response);
        response.body = match content.in_memory() {
            Some(content) => Body::Bytes(render(job, &content, escape)?.into()),
            None => render_in_pieces(job, content, escape)?,
        };
        Ok(())
    }
}

/// Substitutes every expression of a template that is not in memory.
fn render_in_pieces(job: &Job<'_>, content: Parts, escape: Escape) -> Result<Body, String> {
    let mut content = content.reader(job);
    let mut rendering = Rendering::new(job, escape);
    let mut failure = None;
    let made = made_content(|to| {
        // What of the template was read and not yet rendered.
        let mut pending = Vec::new();
        let mut rendered = Vec::new();
        loop {
            let read = content.by_ref().take(PIECE).read_to_end(&mut pending)?;
            let settled = if read == 0 { pending.len() } else { settled_length(&pending) };
            if pending.len() - settled > LONGEST_EXPRESSION {
                failure =
                    Some(format!("an expression does not end within {LONGEST_EXPRESSION} bytes"));
                return Ok(());
            }
            rendered.clear();
            if let Err(reason) = rendering.render(&pending[..settled], &mut rendered) {
                failure = Some(reason);
                return Ok(());
            }
            to.write_all(&rendered)?;
            pending.drain(..settled);
            if read == 0 {
                return Ok(());
            }
        }
    });
    match failure {
        Some(reason) => Err(reason),
        None => made.map_err(|error| error.to_string()),
    }
}

/// Substitutes every expression of a template. Bytes outside of expressions stay as they are.
pub fn render(job: &Job<'_>, content: &[u8], escape: Escape) -> Result<Vec<u8>, String> {
    let mut rendered = Vec::with_capacity(content.len());
    Rendering::new(job, escape).render(content, &mut rendered)?;
    Ok(rendered)
}

/// A template that is being rendered.
struct Rendering<'a> {
    scope: Scope<'a>,
    escape: Escape,
}

impl<'a> Rendering<'a> {
    fn new(job: &'a Job<'a>, escape: Escape) -> Self {
        Self { scope: Scope { job, variables: HashMap::new() }, escape }
    }

    /// Renders what is next of the template, whole expressions all of them.
    fn render(&mut self, content: &[u8], rendered: &mut Vec<u8>) -> Result<(), String> {
        for segment in segments(content) {
            match segment {
                Segment::Literal(bytes) => rendered.extend_from_slice(bytes),
                Segment::Expression(expression) => {
                    self.scope.substitute(expression, self.escape, rendered).map_err(|reason| {
                        format!("{{{{{}}}}}: {reason}", String::from_utf8_lossy(expression))
                    })?;
                }
            }
        }
        Ok(())
    }
}

/// What an expression has come to so far.
pub enum Value<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes from the wire.
    Bytes(Bytes),
    /// A whole number.
    Number(i64),
    /// A part of the configuration.
    Config(&'a Json),
    /// Parts of something by name: the location, headers, parameters.
    Parts(for<'r> fn(&'r Request, &Index<'_>) -> Result<Value<'r>, String>),
    /// Something to be called.
    Function(for<'r> fn(&'r Job<'r>, &[&str]) -> Result<Value<'r>, String>),
}

struct Scope<'a> {
    job: &'a Job<'a>,
    variables: HashMap<String, Value<'a>>,
}

impl<'a> Scope<'a> {
    /// Writes what an expression comes to.
    fn substitute(
        &mut self,
        expression: &[u8],
        escape: Escape,
        rendered: &mut Vec<u8>,
    ) -> Result<(), String> {
        let mut tokens = tokens(expression).map_err(|error| error.to_string())?.into_iter();
        let mut first = tokens.next();
        let variable = match first {
            Some(Token::Variable(name)) => {
                first = tokens.next();
                Some(name)
            }
            _ => None,
        };
        let Some(Token::Identifier(name)) = first else {
            return Err("a name is expected first".to_owned());
        };
        let mut value = self.named(name)?;
        for token in tokens {
            value = match token {
                Token::Index(index) => self.indexed(value, &index)?,
                Token::Arguments(arguments) => match value {
                    Value::Function(function) => function(self.job, &arguments)?,
                    _ => return Err("this cannot be called".to_owned()),
                },
                Token::Identifier(_) | Token::Variable(_) => {
                    return Err("only an index or arguments may follow a name".to_owned());
                }
            };
        }
        rendered.extend_from_slice(escape.escape(&value.text()?).as_bytes());
        if let Some(variable) = variable {
            self.variables.insert(variable.to_owned(), value);
        }
        Ok(())
    }

    fn named(&self, name: &str) -> Result<Value<'a>, String> {
        if let Some(value) = self.variables.get(name) {
            return Ok(value.copy());
        }
        let request = self.job.request;
        let config = &request.environment.config;
        Ok(match name {
            "uuid" => Value::Function(uuid),
            "file_hash" => Value::Function(file_hash),
            "fs_path" => Value::Function(fs_path),
            "header_or_default" => Value::Function(header_or_default),
            "headers" => Value::Parts(header),
            "GET" => Value::Parts(parameter),
            "hosts" => Value::Config(&config["all_domains"]),
            "domains" => Value::Config(&config["all_domains"][""]),
            "host" => Value::Config(&config["browser_host"]),
            "location" if config.get("location").is_none() => Value::Parts(location),
            "url_base" if config.get("url_base").is_none() => {
                Value::Text(Cow::Borrowed(&request.url_base))
            }
            "subdomains" | "not_subdomains" | "domains_set" | "not_domains_set"
            | "all_domains_set" => {
                return Err(format!("`{name}` is a set: it has no order, and no index"));
            }
            name => match config.get(name) {
                Some(value) => Value::Config(value),
                None => return Err(format!("there is no `{name}`")),
            },
        })
    }

    fn indexed(&self, value: Value<'a>, index: &Index<'_>) -> Result<Value<'a>, String> {
        let missing = || match index {
            Index::Number(number) => format!("there is no [{number}]"),
            Index::Text(text) => format!("there is no [{text}]"),
        };
        match (value, index) {
            (Value::Parts(part), _) => part(self.job.request, index),
            (Value::Config(Json::Object(map)), Index::Text(key)) => {
                map.get(*key).map(Value::Config).ok_or_else(missing)
            }
            (Value::Config(Json::Array(items)), Index::Number(number)) => {
                let at = from_either_end(*number, items.len());
                at.map(|at| Value::Config(&items[at])).ok_or_else(missing)
            }
            (value @ (Value::Text(_) | Value::Config(Json::String(_))), Index::Number(number)) => {
                let characters: Vec<char> = value.text()?.chars().collect();
                let at = from_either_end(*number, characters.len()).ok_or_else(missing)?;
                Ok(Value::Text(Cow::Owned(characters[at].to_string())))
            }
            (Value::Bytes(bytes), Index::Number(number)) => {
                let at = from_either_end(*number, bytes.len()).ok_or_else(missing)?;
                Ok(Value::Number(bytes[at].into()))
            }
            _ => Err(missing()),
        }
    }
}

impl Value<'_> {
    fn copy(&self) -> Self {
        match self {
            Self::Text(text) => Self::Text(text.clone()),
            Self::Bytes(bytes) => Self::Bytes(bytes.clone()),
            Self::Number(number) => Self::Number(*number),
            Self::Config(value) => Self::Config(value),
            Self::Parts(part) => Self::Parts(*part),
            Self::Function(function) => Self::Function(*function),
        }
    }

    /// The text that takes the expression's place.
    fn text(&self) -> Result<Cow<'_, str>, String> {
        match self {
            Self::Text(text) => Ok(Cow::Borrowed(text)),
            Self::Config(Json::String(text)) => Ok(Cow::Borrowed(text)),
            Self::Bytes(bytes) => std::str::from_utf8(bytes)
                .map(Cow::Borrowed)
                .map_err(|_| "the value is no UTF-8".to_owned()),
            Self::Number(number) => Ok(Cow::Owned(number.to_string())),
            Self::Config(Json::Number(number)) if !number.is_f64() => {
                Ok(Cow::Owned(number.to_string()))
            }
            // `str(True)`, as the reference has it.
            Self::Config(Json::Bool(true)) => Ok(Cow::Borrowed("True")),
            Self::Config(Json::Bool(false)) => Ok(Cow::Borrowed("False")),
            Self::Config(_) | Self::Parts(_) => {
                Err("this is no text or number; an index is missing".to_owned())
            }
            Self::Function(_) => Err("this is to be called, as in `uuid()`".to_owned()),
        }
    }
}

/// A place from the start, or from the end when negative, as in Python.
fn from_either_end(number: i64, length: usize) -> Option<usize> {
    let distance = usize::try_from(number.unsigned_abs()).ok()?;
    let at = if number < 0 { length.checked_sub(distance)? } else { distance };
    (at < length).then_some(at)
}

fn header<'r>(request: &'r Request, index: &Index<'_>) -> Result<Value<'r>, String> {
    let Index::Text(name) = index else {
        return Err("a header's name is text".to_owned());
    };
    match request.headers().get(name.as_bytes()) {
        Some(value) => Ok(Value::Bytes(value.clone())),
        None => Err(format!("the request has no header `{name}`")),
    }
}

fn parameter<'r>(request: &'r Request, index: &Index<'_>) -> Result<Value<'r>, String> {
    let Index::Text(name) = index else {
        return Ok(Value::Text(Cow::Borrowed("")));
    };
    let name = super::latin1_bytes(name)?;
    let query = request.query().map(|query| proto::query::parse_query(query));
    let first = query.into_iter().flatten().find(|(key, _)| *key == name);
    Ok(Value::Bytes(first.map_or_else(Bytes::new, |(_, value)| value.into())))
}

fn location<'r>(request: &'r Request, index: &Index<'_>) -> Result<Value<'r>, String> {
    let Index::Text(name) = index else {
        return Err("a part's name is expected".to_owned());
    };
    let url = request.url_parts();
    let port = || url.port.map_or(Cow::Borrowed("None"), |port| Cow::Owned(port.to_string()));
    let host = || format!("{}:{}", url.hostname.as_deref().unwrap_or("None"), port());
    Ok(Value::Text(match *name {
        "server" => Cow::Owned(format!("{}://{}", url.scheme, host())),
        "scheme" => Cow::Borrowed(url.scheme.as_str()),
        "host" => Cow::Owned(host()),
        "hostname" => Cow::Borrowed(url.hostname.as_deref().ok_or("the URL has no host")?),
        "port" => {
            return Ok(Value::Number(url.port.ok_or("the URL has no port")?.into()));
        }
        "path" | "pathname" => Cow::Owned(latin1(&request.head.target.path)),
        "query" => Cow::Owned(format!(
            "?{}",
            request.query().map_or_else(String::new, |query| latin1(query))
        )),
        other => return Err(format!("a location has no `{other}`")),
    }))
}

fn uuid<'r>(_job: &'r Job<'r>, arguments: &[&str]) -> Result<Value<'r>, String> {
    if !arguments.is_empty() {
        return Err("uuid takes no arguments".to_owned());
    }
    Ok(Value::Text(Cow::Owned(uuid::Uuid::new_v4().to_string())))
}

fn header_or_default<'r>(job: &'r Job<'r>, arguments: &[&str]) -> Result<Value<'r>, String> {
    let [name, default] = arguments else {
        return Err("header_or_default takes a name and a default".to_owned());
    };
    Ok(match job.request.headers().get(name.as_bytes()) {
        Some(value) => Value::Bytes(value.clone()),
        None => Value::Text(Cow::Owned((*default).to_owned())),
    })
}

fn file_hash<'r>(job: &'r Job<'r>, arguments: &[&str]) -> Result<Value<'r>, String> {
    let [algorithm, path] = arguments else {
        return Err("file_hash takes an algorithm and a path".to_owned());
    };
    let hash: fn(&mut dyn Read) -> io::Result<Vec<u8>> = match *algorithm {
        "md5" => digest::<md5::Md5>,
        "sha1" => digest::<sha1::Sha1>,
        "sha224" => digest::<sha2::Sha224>,
        "sha256" => digest::<sha2::Sha256>,
        "sha384" => digest::<sha2::Sha384>,
        "sha512" => digest::<sha2::Sha512>,
        other => return Err(format!("`{other}` is no algorithm of file_hash")),
    };
    let path = job.request.doc_root().join(path);
    let hashed = regular_file::open(&path)
        .and_then(|(file, metadata)| hash(&mut Parts::of_file(file, metadata.len()).reader(job)));
    let hashed = hashed.map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    Ok(Value::Bytes(BASE64.encode(hashed).into()))
}

fn digest<D: Digest>(content: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut digest = D::new();
    let mut block = [0; 16 * 1024];
    loop {
        match content.read(&mut block)? {
            0 => return Ok(digest.finalize().to_vec()),
            length => digest.update(&block[..length]),
        }
    }
}

fn fs_path<'r>(job: &'r Job<'r>, arguments: &[&str]) -> Result<Value<'r>, String> {
    let [path] = arguments else {
        return Err("fs_path takes a path".to_owned());
    };
    let request = job.request;
    let root = request.doc_root();
    let relative = if let Some(absolute) = path.strip_prefix('/') {
        absolute.to_owned()
    } else {
        let here = latin1(&request.head.raw_target);
        let here = here.get(request.url_base.len()..).unwrap_or_default();
        let folder = here.rsplit_once('/').map_or(here, |(folder, _)| folder);
        format!("{folder}/{path}")
    };
    let path = normal(&root.join(relative.trim_start_matches('/')));
    match path.strip_prefix(root) {
        Ok(_) => Ok(Value::Text(Cow::Owned(path.to_string_lossy().into_owned()))),
        Err(_) => Err(format!("{} is outside of the document root", path.display())),
    }
}

/// A path without `.` and `..`, by its text alone.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            component => normal.push(component),
        }
    }
    normal
}

/// What is rendered in well under a millisecond.
const QUICK: usize = 64 * 1024;
/// A template that is not in memory is read in pieces of this size.
const PIECE: u64 = 64 * 1024;
/// As much of it is kept until it is known where an expression ends.
const LONGEST_EXPRESSION: usize = 1024 * 1024;
