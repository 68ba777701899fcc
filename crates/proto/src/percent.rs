//! Percent escapes as Python's `urllib.parse` reads and writes them.

use std::borrow::Cow;
use std::fmt::Write;

/// Decodes `%XX`. A `%` that no two hex digits follow stays as it is
/// (`unquote_to_bytes`); without any escape nothing is copied.
pub fn decode(input: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = input.iter().position(|&byte| byte == b'%') else {
        return Cow::Borrowed(input);
    };
    let mut output = Vec::with_capacity(input.len());
    output.extend_from_slice(&input[..first]);
    let mut rest = &input[first..];
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'%'
            && let Some(escaped) = escape_value(tail)
        {
            output.push(escaped);
            rest = &tail[2..];
        } else {
            output.push(byte);
            rest = tail;
        }
    }
    Cow::Owned(output)
}

/// Escapes all but ASCII letters and digits, `_`, `.`, `-`, `~` and `/`
/// (`quote` with its default `safe="/"`), with upper-case hex digits.
pub fn quote(input: &[u8]) -> String {
    let mut output = String::with_capacity(input.len());
    for &byte in input {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'~' | b'/') {
            output.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(output, "%{byte:02X}");
        }
    }
    output
}

/// What the two hex digits at the start of `digits` stand for.
fn escape_value(digits: &[u8]) -> Option<u8> {
    let &[high, low, ..] = digits else {
        return None;
    };
    Some(hex_digit(high)? << 4 | hex_digit(low)?)
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(decode(b"a%20b%2Fc%2fd%00%FF"), &b"a b/c/d\0\xff"[..]);
        assert_eq!(decode(b"%41"), &b"A"[..]);
        assert_eq!(decode(b"a+b"), &b"a+b"[..]);
        assert_eq!(decode(b""), &b""[..]);
    }

    #[test]
    fn bad_escapes_stay() {
        for kept in [&b"%"[..], b"%4", b"%zz", b"%4g", b"100%", b"%+1", b"%\xe9\xe9"] {
            assert_eq!(decode(kept), kept);
        }
        assert_eq!(decode(b"%%41"), &b"%A"[..]);
        assert_eq!(decode(b"%4%41"), &b"%4A"[..]);
        assert_eq!(decode(b"%2541"), &b"%41"[..]);
    }

    #[test]
    fn nothing_is_copied_without_an_escape() {
        assert!(matches!(decode(b"/plain/path"), Cow::Borrowed(_)));
    }

    #[test]
    fn quote_escapes_what_python_escapes() {
        assert_eq!(
            quote(b"/az AZ09_.-~!*'();:@&=+$,?#[]%\xc3\xa9"),
            "/az%20AZ09_.-~%21%2A%27%28%29%3B%3A%40%26%3D%2B%24%2C%3F%23%5B%5D%25%C3%A9"
        );
    }

    proptest! {
        #[test]
        fn quote_then_decode_is_the_input(input in prop::collection::vec(any::<u8>(), 0..64)) {
            let quoted = quote(&input);
            prop_assert_eq!(decode(quoted.as_bytes()), &input[..]);
        }

        #[test]
        fn decoding_never_lengthens(input in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(decode(&input).len() <= input.len());
        }
    }
}
