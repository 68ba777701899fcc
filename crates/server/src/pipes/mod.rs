//! Pipes: what `?pipe=` and `.sub.` in a file's name do to a response.
//!
//! A pipe is a small type of its own with a [`Pipe`] impl; [`PIPES`] is the one list of them.

mod compress;
mod cut;
mod header;
mod hints;
mod slice;
mod status;
mod sub;
mod trickle;

use std::{
    borrow::Cow,
    io::{self, Write},
    ops::RangeInclusive,
};

use proto::{
    number,
    pipe::{self, PipeCall},
    template::Escape,
};
use tempfile::{SpooledData, SpooledTempFile};

use crate::{Response, blocking::Job, parts::Parts, response::Body};

pub use sub::{Value as TemplateValue, render};

/// One pipe.
pub trait Pipe: Sync {
    /// The name in a pipe string.
    fn name(&self) -> &'static str;

    /// How many arguments it takes.
    fn arity(&self) -> RangeInclusive<usize>;

    /// Whether it reads or replaces the content.
    fn reads_content(&self) -> bool {
        false
    }

    /// Whether it is done in no time, for content that is in memory: `None` is content that is
    /// not. What is not quick is not for the I/O thread.
    fn is_quick(&self, _content: Option<&[u8]>) -> bool {
        true
    }

    /// Changes a response. The error says what is wrong with the arguments, or why it failed.
    fn apply(
        &self,
        job: &Job<'_>,
        response: &mut Response,
        arguments: &[String],
    ) -> Result<(), String>;
}

/// Every pipe there is.
pub const PIPES: &[&dyn Pipe] = &[
    &header::Header,
    &status::Status,
    &slice::Slice,
    &trickle::Trickle,
    &sub::Sub,
    &compress::GZIP,
    &compress::DEFLATE,
    &compress::BROTLI,
    &compress::ZSTD,
    &hints::Hints,
    &cut::CLOSE,
    &cut::RESET,
];

/// Why a pipeline could not be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PipeError {
    /// The pipe string is malformed.
    #[error("the pipes `{pipes}` are malformed: {reason}")]
    Syntax {
        /// The pipe string.
        pipes: String,
        /// What is wrong.
        reason: String,
    },
    /// No pipe has that name.
    #[error("there is no pipe `{0}`")]
    Unknown(String),
    /// Each reads all of what the one before it makes.
    #[error("the pipes are too many: at most {MOST_CONTENT_PIPES} may change the content")]
    TooMany,
    /// A pipe got too few or too many arguments.
    #[error("the pipe `{name}` takes {expected} arguments, not {given}")]
    Arity {
        /// The pipe.
        name: &'static str,
        /// How many it takes.
        expected: String,
        /// How many it got.
        given: usize,
    },
    /// A pipe failed.
    #[error("the pipe `{name}` failed: {reason}")]
    Failed {
        /// The pipe.
        name: &'static str,
        /// Why.
        reason: String,
    },
}

/// The pipe string for a file at `path` that is asked for with `query`: a template is substituted
/// first, then come the pipes of the query.
pub fn pipe_string(path: &[u8], query: Option<&[u8]>) -> Option<Cow<'static, str>> {
    let of_name =
        proto::template::is_template(path).then(|| match proto::template::escape_for(path) {
            Escape::Html => "sub(html)",
            Escape::None => "sub(none)",
        });
    let of_query = query.and_then(pipe::pipe_query);
    match (of_name, of_query) {
        (None, of_query) => of_query.map(Cow::Owned),
        (Some(of_name), None) => Some(Cow::Borrowed(of_name)),
        (Some(of_name), Some(of_query)) => Some(Cow::Owned(format!("{of_name}|{of_query}"))),
    }
}

/// Applies the pipes of a path's name and of the request's query.
pub fn apply_for(path: &[u8], job: &Job<'_>, response: &mut Response) -> Result<(), PipeError> {
    match pipe_string(path, job.request.query().map(AsRef::as_ref)) {
        Some(pipes) => apply(&pipes, job, response),
        None => Ok(()),
    }
}

/// Applies the pipes of a pipe string, in order.
pub fn apply(pipes: &str, job: &Job<'_>, response: &mut Response) -> Result<(), PipeError> {
    let calls = parse(pipes)?;
    // All names are looked up before the first pipe runs.
    let calls: Vec<_> = calls
        .into_iter()
        .map(|call| Ok((find(&call.name)?, call.arguments)))
        .collect::<Result<_, PipeError>>()?;
    for (pipe, arguments) in calls {
        apply_one(pipe, job, response, &arguments)?;
    }
    Ok(())
}

/// Reads a pipe string.
pub fn parse(pipes: &str) -> Result<Vec<PipeCall>, PipeError> {
    let calls = pipe::parse_pipes(pipes).map_err(|error| PipeError::Syntax {
        pipes: pipes.to_owned(),
        reason: error.to_string(),
    })?;
    let reads_content = |call: &&PipeCall| find(&call.name).is_ok_and(Pipe::reads_content);
    if calls.iter().filter(reads_content).count() > MOST_CONTENT_PIPES {
        return Err(PipeError::TooMany);
    }
    Ok(calls)
}

/// Whether the pipes of a path's name and of a query are done in no time, for content that is in
/// memory; `None` is content that is not.
pub(crate) fn are_quick_for(path: &[u8], query: Option<&[u8]>, content: Option<&[u8]>) -> bool {
    pipe_string(path, query).is_none_or(|pipes| are_quick(&pipes, content))
}

/// The same for a pipe string.
pub(crate) fn are_quick(pipes: &str, content: Option<&[u8]>) -> bool {
    // What has no pipes is an error in no time.
    let quick = |call: &PipeCall| find(&call.name).map_or(true, |pipe| pipe.is_quick(content));
    parse(pipes).map_or(true, |calls| calls.iter().all(quick))
}

/// The pipe of that name.
pub fn find(name: &str) -> Result<&'static dyn Pipe, PipeError> {
    let found = PIPES.iter().find(|pipe| pipe.name() == name);
    found.copied().ok_or_else(|| PipeError::Unknown(name.to_owned()))
}

/// Applies one pipe.
pub fn apply_one(
    pipe: &dyn Pipe,
    job: &Job<'_>,
    response: &mut Response,
    arguments: &[String],
) -> Result<(), PipeError> {
    let arity = pipe.arity();
    let name = pipe.name();
    if !arity.contains(&arguments.len()) {
        let (least, most) = (arity.start(), arity.end());
        let expected = match (least, most) {
            (_, &usize::MAX) => format!("at least {least}"),
            _ if least == most => least.to_string(),
            _ => format!("{least} to {most}"),
        };
        return Err(PipeError::Arity { name, expected, given: arguments.len() });
    }
    pipe.apply(job, response, arguments).map_err(|reason| PipeError::Failed { name, reason })
}

/// `null` in any case is no value.
fn nullable(argument: &str) -> Option<&str> {
    (!argument.eq_ignore_ascii_case("null")).then_some(argument)
}

/// An integer as Python's `int()` reads it; what 64 bits cannot hold is the nearest they can.
fn integer(argument: &str) -> Result<i64, String> {
    number::parse_int(argument).ok_or_else(|| format!("`{argument}` is no integer"))
}

/// A header's text as bytes.
fn latin1_bytes(text: &str) -> Result<Vec<u8>, String> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).map_err(|_| format!("`{c}` is not in latin-1")))
        .collect()
}

/// The content, which a pipe is about to replace.
fn take_content(response: &mut Response) -> Parts {
    std::mem::replace(&mut response.body, Body::None).into_parts()
}

/// What `write` writes, as content: in memory while it is short, in an unnamed file beyond.
fn made_content(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Body> {
    let mut made = SpooledTempFile::new(MEMORY_LIMIT);
    write(&mut made)?;
    Ok(match made.into_inner() {
        SpooledData::InMemory(bytes) => Body::Bytes(bytes.into_inner().into()),
        SpooledData::OnDisk(file) => {
            let length = file.metadata()?.len();
            Body::Parts(Parts::of_file(file, length))
        }
    })
}

/// At most so many pipes of one response may change its content.
const MOST_CONTENT_PIPES: usize = 32;
/// Content that a pipe makes stays in memory up to this size.
const MEMORY_LIMIT: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_python_s() {
        assert_eq!(integer(" +1_0 "), Ok(10));
        assert_eq!(integer("-5"), Ok(-5));
        assert_eq!(integer("99999999999999999999"), Ok(i64::MAX));
        for wrong in ["", "1.5", "_1", "1__0", "x"] {
            assert_eq!(integer(wrong), Err(format!("`{wrong}` is no integer")));
        }
    }

    #[test]
    fn a_chain_of_pipes_that_change_the_content_is_bounded() {
        let chain =
            |name: &str, count| parse(&vec![name; count].join("|")).map(|calls| calls.len());
        assert_eq!(chain("gzip", 32), Ok(32));
        assert_eq!(chain("gzip", 33), Err(PipeError::TooMany));
        assert_eq!(chain("header(a,b,true)", 3000), Ok(3000));
    }

    #[test]
    fn codecs_and_files_are_not_for_the_io_thread() {
        let quick = |pipes, content: Option<&[u8]>| are_quick(pipes, content);
        assert!(quick("status(200)|trickle(d1)|slice(1)|header(a,b)", None));
        assert!(quick("gzip|sub", Some(b"{{host}}")));
        assert!(!quick("sub", Some(b"{{file_hash(md5, a)}}")));
        for pipes in ["gzip", "sub", "header(a,b)|br"] {
            assert!(!quick(pipes, None) && !quick(pipes, Some(&vec![b'x'; 100_000])), "{pipes}");
        }
        assert!(quick("nothing|gzip(", Some(b"")));
    }

    #[test]
    fn every_pipe_has_a_name_of_its_own() {
        let mut names: Vec<_> = PIPES.iter().map(|pipe| pipe.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PIPES.len());
        assert_eq!(find("tricle").err(), Some(PipeError::Unknown("tricle".to_owned())));
    }
}
