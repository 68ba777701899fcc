//! The head of a response: written, and read again where a handler wrote it for HTTP/1 and it goes
//! out over another version.

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;

use crate::{headers::HeaderList, request_head::MAX_HEAD};

/// A response's head as a handler wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// The status code.
    pub status: u16,
    /// The fields, in order.
    pub headers: HeaderList,
}

/// Why bytes are no head of a response.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ResponseHeadError {
    /// The first line is not `HTTP/version SP three digits`.
    #[error("the response does not begin with a status line")]
    StatusLine,
    /// There is no blank line within [`MAX_HEAD`] bytes.
    #[error("the head of the response does not end")]
    TooLong,
}

/// Takes a response's head off the start of `buf`; `None` while its blank line is missing.
///
/// It reads as browsers do: lines may end with a bare LF, white space around names and values is
/// dropped, and so are lines without a colon.
pub fn parse_response_head(buf: &mut BytesMut) -> Result<Option<ResponseHead>, ResponseHeadError> {
    let start = buf.len().min(b"HTTP/".len());
    if !buf[..start].eq_ignore_ascii_case(&b"HTTP/"[..start]) {
        return Err(ResponseHeadError::StatusLine);
    }
    let Some(end) = end_of_head(buf) else {
        return if buf.len() > MAX_HEAD { Err(ResponseHeadError::TooLong) } else { Ok(None) };
    };
    let mut lines = buf[..end].split(|&byte| byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        (line.as_ptr().addr() - buf.as_ptr().addr(), line)
    });
    let status = lines.next().and_then(|(_, line)| status_code(line));
    let status = status.ok_or(ResponseHeadError::StatusLine)?;
    let mut ranges = Vec::new();
    for (offset, line) in lines {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let trimmed = |part: &[u8]| {
            let start = offset + (part.as_ptr().addr() - line.as_ptr().addr());
            let leading = part.len() - part.trim_ascii_start().len();
            (start + leading)..(start + leading + part.trim_ascii().len())
        };
        ranges.push((trimmed(&line[..colon]), trimmed(&line[colon + 1..])));
    }
    let head: Bytes = buf.split_to(end).freeze();
    let mut headers = HeaderList::with_capacity(ranges.len());
    for (name, value) in ranges {
        headers.push(head.slice(name), head.slice(value));
    }
    Ok(Some(ResponseHead { status, headers }))
}

/// Where what follows the blank line begins.
fn end_of_head(buf: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = buf[from..].iter().position(|&byte| byte == b'\n') {
        let rest = &buf[from + at + 1..];
        let mut after = rest;
        if after.starts_with(b"\r") {
            after.advance(1);
        }
        if after.starts_with(b"\n") {
            return Some(buf.len() - after.len() + 1);
        }
        from = buf.len() - rest.len();
    }
    None
}

fn status_code(line: &[u8]) -> Option<u16> {
    let code = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).nth(1)?;
    let [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9'] = code else { return None };
    Some(code.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
}

/// Appends `HTTP/1.1 <code> <reason>` and a line end.
///
/// Any number is a code and any bytes are a reason, none of them looked into:
/// tests ask for odd status lines on purpose. The space before the reason is
/// there even when the reason is empty.
pub fn encode_status_line(out: &mut Vec<u8>, code: i64, reason: &[u8]) {
    out.extend_from_slice(b"HTTP/1.1 ");
    push_decimal(out, code);
    out.push(b' ');
    out.extend_from_slice(reason);
    out.extend_from_slice(b"\r\n");
}

/// Appends `name: value` and a line end.
///
/// A CR or LF in either is written as it stands, so a handler can add lines of
/// its own. That is wanted: tests rely on it to send broken heads. Whoever
/// passes on what a peer sent has to check it first.
pub fn encode_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn push_decimal(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    let start = out.len();
    let mut rest = number.unsigned_abs();
    loop {
        // A remainder of 10 fits a byte.
        out.push(b'0' + u8::try_from(rest % 10).unwrap_or(0));
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out[start..].reverse();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn status_line(code: i64, reason: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        encode_status_line(&mut out, code, reason);
        out
    }

    #[test]
    fn status_lines() {
        assert_eq!(status_line(200, b"OK"), b"HTTP/1.1 200 OK\r\n");
        assert_eq!(status_line(299, b""), b"HTTP/1.1 299 \r\n");
        assert_eq!(status_line(-5, b"\xe9"), b"HTTP/1.1 -5 \xe9\r\n");
        assert_eq!(status_line(0, b""), b"HTTP/1.1 0 \r\n");
        assert_eq!(status_line(i64::MIN, b""), b"HTTP/1.1 -9223372036854775808 \r\n");
    }

    #[test]
    fn fields_are_written_as_they_are_given() {
        let mut out = b"before".to_vec();
        encode_field(&mut out, b"X-a", b"b\r\nInjected: c");
        encode_field(&mut out, b"", b"");
        assert_eq!(out, b"beforeX-a: b\r\nInjected: c\r\n: \r\n");
    }

    type Parsed = (u16, Vec<(String, String)>, Vec<u8>);

    fn parse(text: &[u8]) -> Result<Option<Parsed>, ResponseHeadError> {
        let mut buf = BytesMut::from(text);
        let head = parse_response_head(&mut buf)?;
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        Ok(head.map(|head| {
            let fields = head.headers.iter().map(|f| (text(&f.name), text(&f.value))).collect();
            (head.status, fields, buf.to_vec())
        }))
    }

    #[test]
    fn a_head_is_read_as_browsers_read_it() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            parse(b"HTTP/1.1 221 ALL YOUR BASE\r\nA: b \r\nno colon\r\nC :d:e\r\n\r\nrest"),
            Ok(Some((221, vec![field("A", "b"), field("C", "d:e")], b"rest".to_vec())))
        );
        assert_eq!(parse(b"HTTP/1.0 200\n\n\n"), Ok(Some((200, vec![], b"\n".to_vec()))));
        assert_eq!(parse(b"HTT"), Ok(None));
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\nA: b\r\n"), Ok(None));
        for wrong in [&b"hello"[..], b"HTTP/1.1 2x0 OK\n\n", b"HTTP/1.1\n\n"] {
            assert_eq!(parse(wrong), Err(ResponseHeadError::StatusLine));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_head_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut text = b"HTTP/1.1 200 ".to_vec();
            text.extend_from_slice(&bytes);
            let _ = parse(&text);
        }

        #[test]
        fn a_head_is_read_as_it_was_written(
            status in 100_i64..=999,
            fields in prop::collection::vec(("[a-z-]{1,9}", "[!-~]{0,9}"), 0..5),
        ) {
            let mut text = Vec::new();
            encode_status_line(&mut text, status, b"R");
            for (name, value) in &fields {
                encode_field(&mut text, name.as_bytes(), value.as_bytes());
            }
            text.extend_from_slice(b"\r\nrest");
            let expected = (u16::try_from(status).unwrap(), fields, b"rest".to_vec());
            prop_assert_eq!(parse(&text), Ok(Some(expected)));
        }

        #[test]
        fn codes_are_decimal(code: i64) {
            prop_assert_eq!(
                status_line(code, b"R"),
                format!("HTTP/1.1 {code} R\r\n").into_bytes()
            );
        }
    }
}
