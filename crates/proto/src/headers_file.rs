//! `.headers` files: header fields, one a line.

use bytes::Bytes;
use thiserror::Error;

/// A line has no `:`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {line} has no colon: `{}`", text.escape_ascii())]
pub struct HeadersFileError {
    /// The line's number, from 1 on.
    pub line: usize,
    /// The line without its end.
    pub text: Bytes,
}

/// Reads the names and values of a `.headers` file, in order, repeated ones too.
///
/// A line ends with CR LF, LF, CR or the file. Empty lines are skipped, but one of white space
/// alone is not empty. Names and values lose the ASCII white space around them and may be empty
/// then; their bytes are as in the file.
pub fn parse_headers_file(data: &[u8]) -> Result<Vec<(Bytes, Bytes)>, HeadersFileError> {
    let data = Bytes::copy_from_slice(data);
    let mut fields = Vec::new();
    for (number, line) in lines(&data).enumerate() {
        if line.is_empty() {
            continue;
        }
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            return Err(HeadersFileError { line: number + 1, text: data.slice_ref(line) });
        };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        fields.push((data.slice_ref(strip(name)), data.slice_ref(strip(value))));
    }
    Ok(fields)
}

fn lines(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(data).filter(|data| !data.is_empty());
    std::iter::from_fn(move || {
        let data = rest?;
        let Some(end) = data.iter().position(|&byte| byte == b'\n' || byte == b'\r') else {
            rest = None;
            return Some(data);
        };
        let next = if data[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 };
        rest = Some(&data[next..]).filter(|data| !data.is_empty());
        Some(&data[..end])
    })
}

/// Without the white space of Python's `bytes.strip()` around it.
fn strip(text: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let Some(start) = text.iter().position(|byte| !is_space(byte)) else {
        return &text[..0];
    };
    let end = text.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(data: &[u8]) -> Vec<(Bytes, Bytes)> {
        parse_headers_file(data).unwrap()
    }

    fn owned(fields: &[(&'static [u8], &'static [u8])]) -> Vec<(Bytes, Bytes)> {
        let owned = |&(name, value)| (Bytes::from_static(name), Bytes::from_static(value));
        fields.iter().map(owned).collect()
    }

    #[test]
    fn fields_keep_their_order_and_repeats() {
        assert_eq!(
            fields(b"X-B: 1\nx-a:2\nX-B: 3"),
            owned(&[(b"X-B", b"1"), (b"x-a", b"2"), (b"X-B", b"3")])
        );
    }

    #[test]
    fn all_three_line_ends() {
        let expected = owned(&[(b"a", b"1"), (b"b", b"2"), (b"c", b"3"), (b"d", b"4")]);
        assert_eq!(fields(b"a: 1\r\nb: 2\rc: 3\nd: 4\r\n"), expected);
        assert_eq!(fields(b"a:1\x0bb:2"), owned(&[(b"a", b"1\x0bb:2")]));
    }

    #[test]
    fn empty_lines_are_skipped() {
        assert_eq!(fields(b""), []);
        assert_eq!(fields(b"\n\r\r\n\n"), []);
        assert_eq!(fields(b"\n\na: 1\n\n"), owned(&[(b"a", b"1")]));
    }

    #[test]
    fn white_space_around_names_and_values_goes() {
        assert_eq!(fields(b" a\x0b:\t \x0c1 2 "), owned(&[(b"a", b"1 2")]));
        assert_eq!(fields(b"a: \x1c1\xa0"), owned(&[(b"a", b"\x1c1\xa0")]));
    }

    #[test]
    fn names_and_values_may_be_empty_and_hold_any_bytes() {
        assert_eq!(fields(b"a:\n: b\n:"), owned(&[(b"a", b""), (b"", b"b"), (b"", b"")]));
        assert_eq!(fields(b"a: b:c\xe9\0"), owned(&[(b"a", b"b:c\xe9\0")]));
    }

    #[test]
    fn a_line_without_a_colon_is_an_error() {
        let error = parse_headers_file(b"a: 1\r\n\r\nb \xe9\nc").unwrap_err();
        assert_eq!(error, HeadersFileError { line: 3, text: Bytes::from_static(b"b \xe9") });
        assert_eq!(error.to_string(), "line 3 has no colon: `b \\xe9`");
        let error = parse_headers_file(b"a: 1\n ").unwrap_err();
        assert_eq!(error, HeadersFileError { line: 2, text: Bytes::from_static(b" ") });
    }

    proptest! {
        #[test]
        fn written_fields_come_back(
            fields in prop::collection::vec(("[a-zA-Z-]{0,6}", "([!-~]([ -~]{0,6}[!-~])?)?"), 0..6),
            end in prop::sample::select(vec!["\n", "\r\n", "\r", "\n\n"]),
        ) {
            let lines: Vec<_> =
                fields.iter().map(|(name, value)| format!("{name}: {value}{end}")).collect();
            let written = lines.concat();
            let expected: Vec<_> = fields
                .into_iter()
                .map(|(name, value)| (Bytes::from(name), Bytes::from(value)))
                .collect();
            prop_assert_eq!(parse_headers_file(written.as_bytes()), Ok(expected));
        }
    }
}
