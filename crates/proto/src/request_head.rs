//! The head of an HTTP/1 request (RFC 9112 sections 2 and 3).

use bytes::{Bytes, BytesMut};
use std::ops::Range;
use thiserror::Error;

use crate::headers::HeaderList;
use crate::target::Target;

/// The longest request line and the longest field line, line end included.
pub const MAX_LINE: usize = 65_536;
/// The longest head, from the first byte to the blank line.
pub const MAX_HEAD: usize = 1 << 20;
/// The most fields that a head may have.
pub const MAX_FIELDS: usize = 512;

/// How many fields the first attempt makes room for; more are rare.
const USUAL_FIELDS: usize = 64;

/// The version that a request names. A minor version above 1 counts as 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
}

/// A request's head. All its parts are slices of one buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The method, any token, case kept.
    pub method: Bytes,
    /// The target as received, but for slashes at its start: as many as there
    /// are count as one.
    pub raw_target: Bytes,
    /// The target taken apart.
    pub target: Target,
    /// The version.
    pub version: Version,
    /// The fields, in order.
    pub headers: HeaderList,
    /// The request line as received, with its line end.
    pub request_line: Bytes,
}

/// Why a head is refused. The connection cannot be used any further.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum HeadError {
    /// The request line is not `method SP target SP version`.
    #[error("Bad request line")]
    BadRequestLine,
    /// The version is 2 or above.
    #[error("HTTP version not supported")]
    UnsupportedVersion,
    /// The request line is longer than [`MAX_LINE`].
    #[error("Request line longer than {MAX_LINE} bytes")]
    RequestLineTooLong,
    /// A line after the request line is no field, or a field is folded.
    #[error("Bad header field")]
    BadField,
    /// One field's line is longer than [`MAX_LINE`].
    #[error("Header field longer than {MAX_LINE} bytes")]
    FieldTooLong,
    /// There are more than [`MAX_FIELDS`] fields, or they make the head longer
    /// than [`MAX_HEAD`].
    #[error("More than {MAX_FIELDS} header fields or {MAX_HEAD} bytes of them")]
    TooManyFields,
}

impl HeadError {
    /// The status that the peer is owed.
    pub fn status(&self) -> u16 {
        match self {
            Self::BadRequestLine | Self::BadField => 400,
            Self::RequestLineTooLong => 414,
            Self::FieldTooLong | Self::TooManyFields => 431,
            Self::UnsupportedVersion => 505,
        }
    }

    /// What to tell the peer.
    pub fn message(&self) -> String {
        self.to_string()
    }
}

/// Takes one head off the start of `buf`; a [`HeadParser`] without a memory.
///
/// For a head that arrives in pieces use a parser, which does not look at the
/// same bytes again for each piece.
pub fn parse_request_head(buf: &mut BytesMut) -> Result<Option<RequestHead>, HeadError> {
    HeadParser::new().parse(buf)
}

/// Takes heads off a buffer that fills up bit by bit.
///
/// It remembers how far it has looked, so between two calls bytes may only be
/// added at the buffer's end. After a head it starts anew.
#[derive(Debug, Default)]
pub struct HeadParser {
    /// Where the request line starts: empty lines before it are skipped.
    start: usize,
    /// Whether the head was tried at once, as most arrive in one piece.
    tried: bool,
    /// Up to where the head has been searched for its end.
    scanned: usize,
    /// Where the line starts in which `scanned` is.
    line_start: usize,
    /// How many lines, the request line among them, end before `line_start`.
    lines: usize,
}

impl HeadParser {
    /// A parser at the start of a head.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a head, the blank line included, off the start of `buf`, and
    /// leaves what follows. `None` means that bytes are missing; `buf` is then
    /// as it was. The limits hold for an incomplete head as well.
    ///
    /// Empty lines before the head are skipped, lines may end with a bare LF,
    /// and the target may have bytes above 0x7f.
    pub fn parse(&mut self, buf: &mut BytesMut) -> Result<Option<RequestHead>, HeadError> {
        if !self.find_start(buf)? {
            return Ok(None);
        }
        // What fits one line breaks no limit on lengths.
        let is_small = buf.len() - self.start <= MAX_LINE;
        if !self.tried && is_small {
            self.tried = true;
            if let Some(head) = self.take(buf)? {
                return Ok(Some(head));
            }
        }
        if self.find_end(buf)? { self.take(buf) } else { Ok(None) }
    }

    /// Skips empty lines; false when there is nothing else.
    fn find_start(&mut self, buf: &[u8]) -> Result<bool, HeadError> {
        if self.lines > 0 || self.scanned > self.start {
            return Ok(true);
        }
        while let Some(skipped) = match &buf[self.start..] {
            [b'\n', ..] => Some(1),
            [b'\r', b'\n', ..] => Some(2),
            _ => None,
        } {
            self.start += skipped;
        }
        if self.start > MAX_HEAD {
            return Err(HeadError::BadRequestLine);
        }
        match &buf[self.start..] {
            [] | [b'\r'] => Ok(false),
            // A peer that speaks TLS, say, may never send a line end.
            [first, ..] if !is_token(*first) => Err(HeadError::BadRequestLine),
            _ => {
                self.scanned = self.start;
                self.line_start = self.start;
                Ok(true)
            }
        }
    }

    /// Searches on for the blank line, and holds the lines against the limits.
    fn find_end(&mut self, buf: &[u8]) -> Result<bool, HeadError> {
        loop {
            let line_limit = buf.len().min(self.line_start + MAX_LINE);
            let found = buf[self.scanned..line_limit].iter().position(|&byte| byte == b'\n');
            let Some(offset) = found else {
                self.scanned = line_limit;
                return match line_limit - self.line_start {
                    MAX_LINE if self.lines == 0 => Err(HeadError::RequestLineTooLong),
                    MAX_LINE => Err(HeadError::FieldTooLong),
                    _ if self.scanned > MAX_HEAD => Err(HeadError::TooManyFields),
                    _ => Ok(false),
                };
            };
            let line_end = self.scanned + offset + 1;
            if line_end > MAX_HEAD {
                return Err(HeadError::TooManyFields);
            }
            let is_blank = matches!(&buf[self.line_start..line_end], b"\n" | b"\r\n");
            self.scanned = line_end;
            if is_blank {
                return Ok(true);
            }
            if self.lines == 0 {
                // Whoever sends no HTTP may never send a blank line.
                RequestLine::find(buf, self.line_start)?;
            }
            self.line_start = line_end;
            self.lines += 1;
            if self.lines > 1 + MAX_FIELDS {
                return Err(HeadError::TooManyFields);
            }
        }
    }

    fn take(&mut self, buf: &mut BytesMut) -> Result<Option<RequestHead>, HeadError> {
        let Some(line) = RequestLine::find(buf, self.start)? else {
            return Ok(None);
        };
        let head = match take_head::<USUAL_FIELDS>(buf, &line) {
            Err(HeadError::TooManyFields) => take_head::<MAX_FIELDS>(buf, &line)?,
            other => other?,
        };
        if head.is_some() {
            *self = Self::new();
        }
        Ok(head)
    }
}

/// Where the parts of a request line are in the buffer.
struct RequestLine {
    line: Range<usize>,
    method: Range<usize>,
    target: Range<usize>,
    version: Version,
}

impl RequestLine {
    /// Reads the line that starts at `start`; `None` while it has no end.
    ///
    /// Exactly one space stands between its parts. httparse is not used here
    /// because it wants a target to be UTF-8.
    fn find(buf: &[u8], start: usize) -> Result<Option<Self>, HeadError> {
        let limit = buf.len().min(start + MAX_LINE);
        let Some(length) = buf[start..limit].iter().position(|&byte| byte == b'\n') else {
            return Ok(None);
        };
        let end = start + length + 1;
        let line = &buf[start..end - 1];
        let line = line.strip_suffix(b"\r").unwrap_or(line);

        let method_length = line.iter().take_while(|&&byte| is_token(byte)).count();
        let target_start = method_length + 1;
        if method_length == 0 || line.get(method_length) != Some(&b' ') {
            return Err(HeadError::BadRequestLine);
        }
        let target_length =
            line[target_start..].iter().take_while(|&&byte| is_target_byte(byte)).count();
        let target_end = target_start + target_length;
        if target_length == 0 || line.get(target_end) != Some(&b' ') {
            return Err(HeadError::BadRequestLine);
        }
        let version = parse_version(&line[target_end + 1..])?;

        let slashes =
            line[target_start..target_end].iter().take_while(|&&byte| byte == b'/').count();
        let target_start = target_start + slashes.saturating_sub(1);
        Ok(Some(Self {
            line: start..end,
            method: start..start + method_length,
            target: start + target_start..start + target_end,
            version,
        }))
    }
}

fn parse_version(version: &[u8]) -> Result<Version, HeadError> {
    match version {
        b"HTTP/1.0" => return Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1'..=b'9'] => return Ok(Version::Http11),
        _ => {}
    }
    // Only to tell a version that is not spoken from one that is none.
    let is_number =
        |digits: &[u8]| (1..=10).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    let mut numbers = version
        .strip_prefix(b"HTTP/")
        .ok_or(HeadError::BadRequestLine)?
        .split(|&byte| byte == b'.');
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(major), Some(minor), None)
            if is_number(major) && is_number(minor) && major != b"1" && major[0] != b'0' =>
        {
            Err(HeadError::UnsupportedVersion)
        }
        _ => Err(HeadError::BadRequestLine),
    }
}

/// Parses the fields after the request line and takes the head off `buf`.
fn take_head<const SLOTS: usize>(
    buf: &mut BytesMut,
    line: &RequestLine,
) -> Result<Option<RequestHead>, HeadError> {
    let start = line.line.end;
    let mut parsed = parse_fields::<SLOTS>(&buf[start..]);
    if parsed == Err(httparse::Error::HeaderValue) {
        // The parser knows no control characters in values; clients that fetch with them do.
        parsed = parse_fields::<SLOTS>(&without_controls(&buf[start..]));
    }
    let (length, spans) = match parsed {
        Ok(httparse::Status::Complete(parsed)) => parsed,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooManyFields),
        Err(_) => return Err(HeadError::BadField),
    };
    let head = buf.split_to(start + length).freeze();
    let slice = |span: Range<usize>| head.slice(start + span.start..start + span.end);
    let headers = spans.into_iter().map(|(name, value)| (slice(name), slice(value))).collect();
    let method = head.slice(line.method.clone());
    let raw_target = head.slice(line.target.clone());
    Ok(Some(RequestHead {
        target: Target::parse(raw_target.clone(), &method),
        method,
        raw_target,
        version: line.version,
        headers,
        request_line: head.slice(line.line.clone()),
    }))
}

/// Where each field's name and value are.
type Spans = Vec<(Range<usize>, Range<usize>)>;

/// The length of the fields with the empty line after them, and where each is: positions, because
/// the head is taken from the buffer that they are in.
fn parse_fields<const SLOTS: usize>(
    bytes: &[u8],
) -> Result<httparse::Status<(usize, Spans)>, httparse::Error> {
    let mut slots = [httparse::EMPTY_HEADER; SLOTS];
    Ok(match httparse::parse_headers(bytes, &mut slots)? {
        httparse::Status::Complete((length, fields)) => {
            let spans = fields
                .iter()
                .map(|field| (span_in(bytes, field.name.as_bytes()), span_in(bytes, field.value)))
                .collect();
            httparse::Status::Complete((length, spans))
        }
        httparse::Status::Partial => httparse::Status::Partial,
    })
}

/// The same bytes with another one for each control character but NUL and those that a head is made
/// of. What stands for them is none that a name may have.
fn without_controls(bytes: &[u8]) -> Vec<u8> {
    let shown = |byte: u8| match byte {
        b'\0' | b'\t' | b'\n' | b'\r' => byte,
        control if control.is_ascii_control() => b'(',
        byte => byte,
    };
    bytes.iter().map(|byte| shown(*byte)).collect()
}

/// Where `part` is in `whole`.
fn span_in(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.len()
}

/// What a target may have: anything but white space and control characters.
pub(crate) fn is_target_byte(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f
}

/// A `tchar` of RFC 9110 section 5.6.2.
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
