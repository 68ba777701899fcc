//! The template language of `.sub.` files: expressions in `{{…}}`, over bytes.

use std::{borrow::Cow, iter};

use memchr::memchr;
use thiserror::Error;

use crate::{html, number::parse_int};

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Bytes that stay as they are; never none.
    Literal(&'a [u8]),
    /// What stands between `{{` and `}}`.
    Expression(&'a [u8]),
}

/// A token of an expression such as `$id:uuid()` or `ports[http][0]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// `$name:`, here without the colon: the expression's value gets this name.
    Variable(&'a str),
    /// `name` or `$name`, of ASCII letters, digits and `_`.
    Identifier(&'a str),
    /// `[…]`.
    Index(Index<'a>),
    /// `(…)`, at each comma and the white space after it separated. There are none in `()`.
    Arguments(Vec<&'a str>),
}

/// What stands between brackets, white space and all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index<'a> {
    /// What Python's `int()` takes. Beyond 64 bits it is the nearest number that fits.
    Number(i64),
    /// Anything else, nothing as well.
    Text(&'a str),
}

/// Why an expression has no tokens.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TemplateError {
    /// An index or an argument is not UTF-8.
    #[error("`{}` is not UTF-8", .0.escape_ascii())]
    NotUtf8(Vec<u8>),
}

/// Splits a template at its expressions.
///
/// An expression goes from `{{` to the first `}`, after which another one must follow: `{{{a}}`
/// holds the expression `{a`, and there is none in `{{a}b}}`.
pub fn segments(content: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut rest = content;
    let mut pending = None;
    iter::from_fn(move || {
        if let Some(expression) = pending.take() {
            return Some(Segment::Expression(expression));
        }
        let Some((open, close)) = find_expression(rest) else {
            let literal = std::mem::take(&mut rest);
            return (!literal.is_empty()).then_some(Segment::Literal(literal));
        };
        let (literal, expression) = (&rest[..open], &rest[open + 2..close]);
        rest = &rest[close + 2..];
        if literal.is_empty() {
            return Some(Segment::Expression(expression));
        }
        pending = Some(expression);
        Some(Segment::Literal(literal))
    })
}

/// Where the `{{` and the `}}` of the first expression are.
fn find_expression(content: &[u8]) -> Option<(usize, usize)> {
    let find = |byte, from| Some(from + memchr(byte, &content[from..])?);
    let mut from = 0;
    loop {
        let open = find(b'{', from)?;
        if content.get(open + 1) != Some(&b'{') {
            from = open + 1;
            continue;
        }
        let close = find(b'}', open + 2)?;
        if content.get(close + 1) == Some(&b'}') {
            return Some((open, close));
        }
        // No expression that starts before this brace goes beyond it.
        from = close + 1;
    }
}

/// How much of a template's start has the same segments whatever follows: an expression may begin
/// behind it, whose end is yet to come.
pub fn settled_length(content: &[u8]) -> usize {
    let find = |byte, from| Some(from + memchr(byte, &content[from..])?);
    let mut from = 0;
    loop {
        let Some(open) = find(b'{', from) else { return content.len() };
        match content.get(open + 1) {
            None => return open,
            Some(b'{') => {}
            Some(_) => {
                from = open + 1;
                continue;
            }
        }
        match find(b'}', open + 2) {
            // Whether it is an expression is told by the byte behind it.
            Some(close) if close + 1 < content.len() => {
                from = if content[close + 1] == b'}' { close + 2 } else { close + 1 };
            }
            _ => return open,
        }
    }
}

/// Splits an expression into tokens. It ends where none begins; what follows is ignored, as by
/// the reference.
pub fn tokens(expression: &[u8]) -> Result<Vec<Token<'_>>, TemplateError> {
    let mut tokens = Vec::new();
    let mut rest = expression;
    while let Some((token, length)) = next_token(rest)? {
        tokens.push(token);
        rest = &rest[length..];
    }
    Ok(tokens)
}

/// The token at the start, and its length.
fn next_token(expression: &[u8]) -> Result<Option<(Token<'_>, usize)>, TemplateError> {
    let Some((&first, rest)) = expression.split_first() else {
        return Ok(None);
    };
    Ok(match first {
        b'[' => enclosed(rest, b']')?.map(|text| {
            let index = match parse_int(text) {
                Some(number) => Index::Number(number),
                None => Index::Text(text),
            };
            (Token::Index(index), text.len() + 2)
        }),
        b'(' => enclosed(rest, b')')?
            .map(|text| (Token::Arguments(split_arguments(text)), text.len() + 2)),
        _ => identifier(expression)?.map(|name| {
            let length = name.len();
            if first == b'$' && expression.get(length) == Some(&b':') {
                (Token::Variable(name), length + 1)
            } else {
                (Token::Identifier(name), length)
            }
        }),
    })
}

/// What stands before `close`, if that is there.
fn enclosed(text: &[u8], close: u8) -> Result<Option<&str>, TemplateError> {
    memchr(close, text).map(|end| decode(&text[..end])).transpose()
}

/// The name at the start, with a `$` that stands before it.
fn identifier(text: &[u8]) -> Result<Option<&str>, TemplateError> {
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let sigil = usize::from(text.first() == Some(&b'$'));
    let word = text[sigil..].iter().take_while(is_word).count();
    (word > 0).then(|| decode(&text[..sigil + word])).transpose()
}

fn decode(text: &[u8]) -> Result<&str, TemplateError> {
    str::from_utf8(text).map_err(|_| TemplateError::NotUtf8(text.to_owned()))
}

fn split_arguments(text: &str) -> Vec<&str> {
    // What is white space to Python's regular expressions: four separators more than Unicode's.
    let is_space = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
    if text.is_empty() {
        return Vec::new();
    }
    let mut arguments = text.split(',');
    let first = arguments.next();
    let others = arguments.map(|argument| argument.trim_start_matches(is_space));
    first.into_iter().chain(others).collect()
}

/// How values are written into a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// `&`, `<`, `>`, `"` and `'` as character references.
    Html,
    /// As they are.
    None,
}

impl Escape {
    /// Writes a value's text.
    pub fn escape<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self {
            Self::Html => html::escape(text),
            Self::None => Cow::Borrowed(text),
        }
    }
}

/// The escaping for a template file, by its extension, case-sensitively: a name that is nothing
/// but dots before it has none, as in Python's `os.path.splitext`.
pub fn escape_for(path: &[u8]) -> Escape {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    let has_extension = |extension: &&str| {
        let stem = name.strip_suffix(extension.as_bytes());
        stem.is_some_and(|stem| stem.iter().any(|&byte| byte != b'.'))
    };
    if MARKUP_EXTENSIONS.iter().any(has_extension) { Escape::Html } else { Escape::None }
}

const MARKUP_EXTENSIONS: [&str; 6] = [".html", ".htm", ".xht", ".xhtml", ".xml", ".svg"];

/// Whether a file is a template: `.sub.` is in its path. The whole path counts, its folders too,
/// as in the reference.
pub fn is_template(path: &[u8]) -> bool {
    path.windows(5).any(|part| part == b".sub.")
}

#[cfg(test)]
mod tests {
    use super::Segment::{Expression, Literal};
    use super::Token::Identifier;
    use super::*;
    use proptest::prelude::*;

    fn parts(content: &[u8]) -> Vec<Segment<'_>> {
        segments(content).collect()
    }

    fn text(index: &str) -> Token<'_> {
        Token::Index(Index::Text(index))
    }

    fn arguments<'a>(arguments: &[&'a str]) -> Token<'a> {
        Token::Arguments(arguments.to_vec())
    }

    #[test]
    fn expressions_stand_between_literals() {
        assert_eq!(
            parts(b"a{{host}}:{{ports[http][0]}}{{x}}\xff"),
            [
                Literal(b"a"),
                Expression(b"host"),
                Literal(b":"),
                Expression(b"ports[http][0]"),
                Expression(b"x"),
                Literal(b"\xff")
            ]
        );
        assert_eq!(parts(b""), []);
        assert_eq!(parts(b"{{}}"), [Expression(b"")]);
        assert_eq!(parts(b"{{a\n{b}}"), [Expression(b"a\n{b")]);
    }

    #[test]
    fn an_expression_starts_as_early_and_ends_as_early_as_it_can() {
        assert_eq!(parts(b"{{{x}}}"), [Expression(b"{x"), Literal(b"}")]);
        assert_eq!(parts(b"{{a}b}}{{c}}"), [Literal(b"{{a}b}}"), Expression(b"c")]);
        assert_eq!(parts(b"{a}}{ {{b}"), [Literal(b"{a}}{ {{b}")]);
        assert_eq!(parts(b"{{a}{{b}}"), [Literal(b"{{a}"), Expression(b"b")]);
    }

    #[test]
    fn tokens_of_each_kind() {
        assert_eq!(tokens(b"$id:uuid()"), {
            Ok(vec![Token::Variable("$id"), Identifier("uuid"), arguments(&[])])
        });
        assert_eq!(tokens(b"$id"), Ok(vec![Identifier("$id")]));
        assert_eq!(tokens(b"ports[http][0]"), {
            Ok(vec![Identifier("ports"), text("http"), Token::Index(Index::Number(0))])
        });
        assert_eq!(
            tokens("domains[élève][]".as_bytes()),
            Ok(vec![Identifier("domains"), text("élève"), text("")])
        );
        assert_eq!(tokens(b"9_a"), Ok(vec![Identifier("9_a")]));
    }

    #[test]
    fn an_index_is_a_number_if_python_says_so() {
        for (index, number) in [("[-1]", -1), ("[ 1_0 ]", 10), ("[+٣]", 3)] {
            let token = Token::Index(Index::Number(number));
            assert_eq!(tokens(index.as_bytes()), Ok(vec![token]));
        }
        assert_eq!(tokens(b"[1.0][ a]['b']"), Ok(vec![text("1.0"), text(" a"), text("'b'")]));
        assert_eq!(tokens(b"[[a]]"), Ok(vec![text("[a")]));
    }

    #[test]
    fn arguments_lose_the_white_space_after_commas() {
        assert_eq!(
            tokens("f( a ,\n b\u{1c},\u{1c}\u{2003}c,)".as_bytes()),
            Ok(vec![Identifier("f"), arguments(&[" a ", "b\u{1c}", "c", ""])])
        );
        assert_eq!(tokens(b"( )(,)"), Ok(vec![arguments(&[" "]), arguments(&["", ""])]));
        assert_eq!(tokens(b"(a(b)c)"), Ok(vec![arguments(&["a(b"]), Identifier("c")]));
    }

    #[test]
    fn what_follows_the_last_token_is_ignored() {
        assert_eq!(tokens(b"a b"), Ok(vec![Identifier("a")]));
        assert_eq!(tokens(b"a.b"), Ok(vec![Identifier("a")]));
        assert_eq!(tokens(b"a:b"), Ok(vec![Identifier("a")]));
        assert_eq!(tokens(b"a[0"), Ok(vec![Identifier("a")]));
        assert_eq!(tokens(b"a(0"), Ok(vec![Identifier("a")]));
        assert_eq!(tokens(b"a$"), Ok(vec![Identifier("a")]));
        assert_eq!(tokens("aé".as_bytes()), Ok(vec![Identifier("a")]));
        for nothing in [&b""[..], b" a", b"{a", b"$", b"$:", b"\xff"] {
            assert_eq!(tokens(nothing), Ok(vec![]));
        }
    }

    #[test]
    fn what_is_not_utf8_is_an_error_within_a_token_only() {
        assert_eq!(tokens(b"a[\xe9]"), Err(TemplateError::NotUtf8(b"\xe9".to_vec())));
        assert_eq!(tokens(b"a(\xe9)"), Err(TemplateError::NotUtf8(b"\xe9".to_vec())));
        assert_eq!(tokens(b"a \xe9[\xe9]"), Ok(vec![Identifier("a")]));
        let error = TemplateError::NotUtf8(b"a\xe9".to_vec());
        assert_eq!(error.to_string(), "`a\\xe9` is not UTF-8");
    }

    #[test]
    fn markup_is_escaped() {
        for path in ["/a.html", "a.sub.htm", "a.xht", "a.xhtml", "/x/a.xml", "..a.svg"] {
            assert_eq!(escape_for(path.as_bytes()), Escape::Html, "{path}");
        }
        for path in ["/a.sub.js", "a.HTML", ".html", "/x.html/.svg", "a.html/", "ahtml", ""] {
            assert_eq!(escape_for(path.as_bytes()), Escape::None, "{path}");
        }
        assert_eq!(Escape::Html.escape("<'\">&"), "&lt;&#x27;&quot;&gt;&amp;");
        assert_eq!(Escape::None.escape("<'\">&"), "<'\">&");
    }

    #[test]
    fn a_template_has_sub_anywhere_in_its_path() {
        for path in [&b"/a.sub.html"[..], b".sub.", b"/x.sub.y/a.js"] {
            assert!(is_template(path));
        }
        for path in [&b"/a.sub"[..], b"a.sub/.b", b"sub.html", b"a.Sub.html", b""] {
            assert!(!is_template(path));
        }
    }

    proptest! {
        #[test]
        fn segments_make_up_the_content(content in "[{}a\n]{0,24}") {
            let mut joined = Vec::new();
            for segment in segments(content.as_bytes()) {
                match segment {
                    Literal(literal) => {
                        prop_assert!(!literal.is_empty());
                        joined.extend_from_slice(literal);
                    }
                    Expression(expression) => {
                        prop_assert_eq!(expression.iter().position(|&byte| byte == b'}'), None);
                        joined.extend_from_slice(&[b"{{", expression, b"}}"].concat());
                    }
                }
            }
            prop_assert_eq!(joined, content.as_bytes());
        }

        #[test]
        fn a_template_in_two_pieces_has_the_same_expressions(content in "[{}a]{0,24}", end in 0..25_usize) {
            let content = content.as_bytes();
            let settled = settled_length(&content[..end.min(content.len())]);
            let expressions = |content| {
                segments(content).filter(|part| matches!(part, Expression(_))).collect::<Vec<_>>()
            };
            let (start, rest) = content.split_at(settled);
            let pieces = [expressions(start), expressions(rest)].concat();
            prop_assert_eq!(pieces, expressions(content));
        }

        #[test]
        fn a_content_without_braces_is_one_literal(
            content in prop::collection::vec(any::<u8>().prop_filter("a brace", |b| *b != b'{'), 1..64),
        ) {
            prop_assert_eq!(parts(&content), [Literal(&content[..])]);
        }

        #[test]
        fn literals_hold_no_expression(content in "[{}ab]{0,24}") {
            for segment in segments(content.as_bytes()) {
                if let Literal(literal) = segment {
                    prop_assert_eq!(parts(literal), [segment]);
                }
            }
        }

        #[test]
        fn tokens_are_no_longer_than_the_expression(
            expression in prop::collection::vec(any::<u8>(), 0..32),
        ) {
            prop_assert!(tokens(&expression).is_ok_and(|t| t.len() <= expression.len())
                || str::from_utf8(&expression).is_err());
        }
    }
}
