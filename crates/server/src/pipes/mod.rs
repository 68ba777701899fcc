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

use std::{borrow::Cow, ops::RangeInclusive};

use proto::{number, pipe, template::Escape};

use crate::{Request, Response};

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

    /// Changes a response. The error says what is wrong with the arguments, or why it failed.
    fn apply(
        &self,
        request: &Request,
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
pub fn apply_for(path: &[u8], request: &Request, response: &mut Response) -> Result<(), PipeError> {
    match pipe_string(path, request.query().map(AsRef::as_ref)) {
        Some(pipes) => apply(&pipes, request, response),
        None => Ok(()),
    }
}

/// Applies the pipes of a pipe string, in order.
pub fn apply(pipes: &str, request: &Request, response: &mut Response) -> Result<(), PipeError> {
    let calls = pipe::parse_pipes(pipes).map_err(|error| PipeError::Syntax {
        pipes: pipes.to_owned(),
        reason: error.to_string(),
    })?;
    // All names are looked up before the first pipe runs.
    let calls: Vec<_> = calls
        .into_iter()
        .map(|call| Ok((find(&call.name)?, call.arguments)))
        .collect::<Result<_, PipeError>>()?;
    for (pipe, arguments) in calls {
        apply_one(pipe, request, response, &arguments)?;
    }
    Ok(())
}

/// The pipe of that name.
pub fn find(name: &str) -> Result<&'static dyn Pipe, PipeError> {
    let found = PIPES.iter().find(|pipe| pipe.name() == name);
    found.copied().ok_or_else(|| PipeError::Unknown(name.to_owned()))
}

/// Applies one pipe.
pub fn apply_one(
    pipe: &dyn Pipe,
    request: &Request,
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
    pipe.apply(request, response, arguments).map_err(|reason| PipeError::Failed { name, reason })
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

/// The content in memory, which a pipe is about to replace.
fn take_content(response: &mut Response) -> Result<bytes::Bytes, String> {
    let body = std::mem::replace(&mut response.body, crate::response::Body::None);
    body.read().map_err(|error| format!("the content cannot be read: {error}"))
}

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
    fn every_pipe_has_a_name_of_its_own() {
        let mut names: Vec<_> = PIPES.iter().map(|pipe| pipe.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PIPES.len());
        assert_eq!(find("tricle").err(), Some(PipeError::Unknown("tricle".to_owned())));
    }
}
