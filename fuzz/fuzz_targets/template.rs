//! Templates and their expressions.
//!
//! - The segments, with their braces, make up the content.
//! - A literal holds no expression; a content without `{{` is one literal.
//! - Tokens are no longer than what they were read from.
//! - Tokens, written anew, are read as the same tokens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto::template::{
    Escape, Index, Segment, Token, escape_for, is_template, segments, settled_length, tokens,
};

fuzz_target!(|data: &[u8]| {
    let mut joined = Vec::new();
    for segment in segments(data) {
        match segment {
            Segment::Literal(literal) => {
                assert!(!literal.is_empty());
                assert!(segments(literal).eq([segment]));
                joined.extend_from_slice(literal);
            }
            Segment::Expression(expression) => {
                assert!(!expression.contains(&b'}'));
                joined.extend_from_slice(&[b"{{", expression, b"}}"].concat());
                check_tokens(expression);
            }
        }
    }
    assert_eq!(joined, data);
    if !data.is_empty() && !data.windows(2).any(|pair| pair == b"{{") {
        assert!(segments(data).eq([Segment::Literal(data)]));
    }

    check_tokens(data);
    // A template in two pieces has the same expressions.
    let (start, rest) = data.split_at(settled_length(&data[..data.len() / 2]));
    let expression = |segment: &Segment<'_>| matches!(segment, Segment::Expression(_));
    let pieces = segments(start).chain(segments(rest));
    assert!(pieces.filter(expression).eq(segments(data).filter(expression)));
    let _ = is_template(data);
    let _ = escape_for(data);
    if let Ok(text) = str::from_utf8(data) {
        let escaped = Escape::Html.escape(text);
        assert!(!escaped.contains(['<', '>', '"', '\'']));
        assert!(escaped.len() >= text.len());
        assert_eq!(Escape::None.escape(text), text);
    }
});

fn check_tokens(expression: &[u8]) {
    let Ok(found) = tokens(expression) else {
        assert!(str::from_utf8(expression).is_err());
        return;
    };
    let mut length = 0;
    let mut written = String::new();
    for (place, token) in found.iter().enumerate() {
        // A name that stands directly before another one would be read as one with it.
        if let (Token::Identifier(name), Some(before)) = (token, place.checked_sub(1))
            && matches!(found[before], Token::Identifier(_))
        {
            assert!(name.starts_with('$'));
        }
        match token {
            Token::Variable(name) => {
                length += name.len() + 1;
                written.push_str(&format!("{name}:"));
            }
            Token::Identifier(name) => {
                length += name.len();
                written.push_str(name);
            }
            Token::Index(Index::Number(number)) => written.push_str(&format!("[{number}]")),
            Token::Index(Index::Text(text)) => {
                length += text.len() + 2;
                written.push_str(&format!("[{text}]"));
            }
            Token::Arguments(arguments) => {
                let commas = arguments.len().saturating_sub(1);
                length +=
                    arguments.iter().map(|argument| argument.len()).sum::<usize>() + commas + 2;
                written.push_str(&format!("({})", arguments.join(",")));
            }
        }
    }
    assert!(length <= expression.len());
    assert_eq!(tokens(written.as_bytes()), Ok(found));
}
