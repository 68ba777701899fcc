//! The syntax of pipes, as in `?pipe=status(404)|header(X-Test,a\,b)|sub`.

pub mod trickle;

pub use trickle::{TrickleError, TrickleEvent, TricklePlan, TrickleStep, parse_trickle};

use std::str::Chars;

use thiserror::Error;

use crate::percent;

/// One pipe and what it is called with. Whether there is such a pipe, and whether it takes these
/// arguments, is for the caller to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipeCall {
    /// The pipe's name. It is empty in `(argument)`.
    pub name: String,
    /// The arguments, white space and all: `name` has none, `name()` has an empty one.
    pub arguments: Vec<String>,
}

/// A backslash ends the pipe string: it escapes nothing.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the arguments of `{pipe}` end in a backslash that escapes nothing")]
pub struct PipeSyntaxError {
    /// The pipe whose argument ends so. All pipes before it are well-formed.
    pub pipe: String,
}

/// Reads a pipe string, `name(argument,argument)` joined by `|`.
///
/// The grammar is the reference's, which takes nearly everything: names of any characters but `(`
/// and `|`, empty parts between bars, a missing `)` at the end, and no bar after a `)`. Within
/// arguments `\n`, `\r` and `\t` are controls, any other escaped character is itself, and spaces
/// count.
pub fn parse_pipes(text: &str) -> Result<Vec<PipeCall>, PipeSyntaxError> {
    let mut calls = Vec::new();
    let mut characters = text.chars();
    while let Some((name, has_arguments)) = next_name(&mut characters) {
        let arguments = if has_arguments {
            next_arguments(&mut characters).ok_or_else(|| PipeSyntaxError { pipe: name.clone() })?
        } else {
            Vec::new()
        };
        calls.push(PipeCall { name, arguments });
    }
    Ok(calls)
}

/// The next name, and whether a `(` follows it.
fn next_name(characters: &mut Chars<'_>) -> Option<(String, bool)> {
    let mut name = String::new();
    loop {
        match characters.next() {
            Some('(') => return Some((name, true)),
            Some('|') if name.is_empty() => {}
            None if name.is_empty() => return None,
            Some('|') | None => return Some((name, false)),
            Some(character) => name.push(character),
        }
    }
}

/// The arguments up to a `)` or the end; nothing if a backslash is last.
fn next_arguments(characters: &mut Chars<'_>) -> Option<Vec<String>> {
    let mut arguments = Vec::new();
    let mut argument = String::new();
    loop {
        match characters.next() {
            Some('\\') => argument.push(match characters.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                character => character,
            }),
            Some(',') => arguments.push(std::mem::take(&mut argument)),
            Some(')') | None => {
                arguments.push(argument);
                return Some(arguments);
            }
            Some(character) => argument.push(character),
        }
    }
}

/// The pipe string of a query: the last `pipe=` that has a value.
///
/// A `+` is a space, escapes are UTF-8 with U+FFFD for what is none, and other bytes outside of
/// ASCII are latin-1: the reference has decoded the request line as that.
pub fn pipe_query(query: &[u8]) -> Option<String> {
    query.split(|&byte| byte == b'&').rev().find_map(|part| {
        let equals = part.iter().position(|&byte| byte == b'=')?;
        let (name, value) = (&part[..equals], &part[equals + 1..]);
        (!value.is_empty() && percent::decode(name) == &b"pipe"[..]).then(|| unquote(value))
    })
}

fn unquote(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    // An escaped UTF-8 sequence ends where a raw byte outside of ASCII stands.
    for run in value.chunk_by(|a, b| a.is_ascii() == b.is_ascii()) {
        if run[0].is_ascii() {
            let spaced: Vec<_> =
                run.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
            text.push_str(&String::from_utf8_lossy(&percent::decode(&spaced)));
        } else {
            text.extend(run.iter().copied().map(char::from));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pipes(text: &str) -> Vec<PipeCall> {
        parse_pipes(text).unwrap()
    }

    fn calls(calls: &[(&str, &[&str])]) -> Vec<PipeCall> {
        calls
            .iter()
            .map(|(name, arguments)| PipeCall {
                name: (*name).to_owned(),
                arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            })
            .collect()
    }

    #[test]
    fn a_chain() {
        assert_eq!(
            pipes("sub|header(X-A, b,True)|status(404)"),
            calls(&[("sub", &[]), ("header", &["X-A", " b", "True"]), ("status", &["404"])])
        );
    }

    #[test]
    fn empty_parentheses_hold_an_empty_argument() {
        assert_eq!(pipes("gzip"), calls(&[("gzip", &[])]));
        assert_eq!(pipes("gzip()"), calls(&[("gzip", &[""])]));
        assert_eq!(pipes("a(,)"), calls(&[("a", &["", ""])]));
    }

    #[test]
    fn empty_parts_are_skipped() {
        assert_eq!(pipes(""), []);
        assert_eq!(pipes("||"), []);
        assert_eq!(pipes("|a||b|"), calls(&[("a", &[]), ("b", &[])]));
    }

    #[test]
    fn an_empty_name_may_have_arguments() {
        assert_eq!(pipes("(x)|a"), calls(&[("", &["x"]), ("a", &[])]));
    }

    #[test]
    fn a_missing_parenthesis_is_put_at_the_end() {
        assert_eq!(pipes("a("), calls(&[("a", &[""])]));
        assert_eq!(pipes("a(b,c|d"), calls(&[("a", &["b", "c|d"])]));
    }

    #[test]
    fn a_name_may_follow_a_parenthesis_at_once() {
        assert_eq!(pipes("a(b)c|d(e)f(g)"), {
            calls(&[("a", &["b"]), ("c", &[]), ("d", &["e"]), ("f", &["g"])])
        });
    }

    #[test]
    fn escapes_are_known_within_arguments_only() {
        assert_eq!(
            pipes(r"a\n(\n\r\t,\,\)\(\\\x\é)\"),
            calls(&[(r"a\n", &["\n\r\t", r",)(\xé"]), ("\\", &[])])
        );
    }

    #[test]
    fn nothing_is_escaped_by_a_last_backslash() {
        let error = parse_pipes(r"a(b)|c(d\").unwrap_err();
        assert_eq!(error, PipeSyntaxError { pipe: "c".to_owned() });
        assert_eq!(
            error.to_string(),
            "the arguments of `c` end in a backslash that escapes nothing"
        );
    }

    #[test]
    fn the_last_pipe_with_a_value_counts() {
        for (query, pipe) in [
            (&b"pipe=a&x=1"[..], Some("a")),
            (b"pipe=a&pipe=b", Some("b")),
            (b"pipe=a&pipe=&pipe", Some("a")),
            (b"p%69pe=a", Some("a")),
            (b"pipe=a=b;c", Some("a=b;c")),
            (b"pipe=+", Some(" ")),
            (b"", None),
            (b"pipe", None),
            (b"&&pipe=&", None),
            (b"Pipe=a", None),
            (b"+pipe=a", None),
            (b"=pipe", None),
        ] {
            assert_eq!(pipe_query(query).as_deref(), pipe, "{query:?}");
        }
    }

    #[test]
    fn a_pipe_is_text() {
        for (query, pipe) in [
            (&b"pipe=a+%2B%28b%29"[..], "a +(b)"),
            (b"pipe=%C3%A9%E9%zz%", "é\u{fffd}%zz%"),
            (b"pipe=\xc3\xa9\xe9", "\u{c3}\u{a9}é"),
            (b"pipe=%C3\xa9%A9", "\u{fffd}\u{a9}\u{fffd}"),
        ] {
            assert_eq!(pipe_query(query).as_deref(), Some(pipe), "{query:?}");
        }
    }

    fn written(calls: &[PipeCall]) -> String {
        let escaped = |argument: &String| {
            argument
                .chars()
                .flat_map(|character| match character {
                    '\n' => ['\\', 'n'],
                    '\r' => ['\\', 'r'],
                    '\t' => ['\\', 't'],
                    // An escape of one of these letters would be a control.
                    'n' | 'r' | 't' => ['\0', character],
                    _ => ['\\', character],
                })
                .filter(|&character| character != '\0')
                .collect::<String>()
        };
        let calls = calls.iter().map(|call| {
            let arguments: Vec<_> = call.arguments.iter().map(escaped).collect();
            match &arguments[..] {
                [] => call.name.clone(),
                arguments => format!("{}({})", call.name, arguments.join(",")),
            }
        });
        calls.collect::<Vec<_>>().join("|")
    }

    proptest! {
        #[test]
        fn written_pipes_come_back(
            parts in prop::collection::vec(("[^|(]{1,4}", prop::collection::vec("[^\0]{0,4}", 0..3)), 0..4),
        ) {
            let calls: Vec<_> =
                parts.into_iter().map(|(name, arguments)| PipeCall { name, arguments }).collect();
            prop_assert_eq!(parse_pipes(&written(&calls)), Ok(calls));
        }

        #[test]
        fn only_a_last_backslash_is_an_error(text in "[a|(),\\\\]{0,12}") {
            prop_assert!(parse_pipes(&text).is_ok() || text.ends_with('\\'));
        }

        #[test]
        fn a_quoted_pipe_comes_back(text in "\\PC{1,12}") {
            let query = format!("a=1&pipe={}&b=2", percent::quote(text.as_bytes()));
            prop_assert_eq!(pipe_query(query.as_bytes()), Some(text));
        }
    }
}
