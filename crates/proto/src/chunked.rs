//! The chunked transfer coding (RFC 9112 section 7.1).

use bytes::{Bytes, BytesMut};
use std::io::Write;
use thiserror::Error;

use crate::headers::HeaderList;

/// The longest line with a chunk's size and extensions, line end included.
pub const MAX_SIZE_LINE: usize = 4_096;
/// The longest trailer section.
pub const MAX_TRAILERS: usize = 65_536;
/// The most fields that a trailer section may have.
pub const MAX_TRAILER_FIELDS: usize = 64;

/// Takes a chunked body off a buffer that fills up bit by bit.
///
/// Every line must end with CR LF: a lone LF, which some servers take for a
/// line end and some do not, is how requests are smuggled past a proxy.
#[derive(Debug, Default)]
pub struct ChunkedDecoder {
    state: State,
    /// How far the start of the buffer has been searched for a line end.
    scanned: usize,
    /// Where the trailer line starts in which `scanned` is.
    line_start: usize,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    SizeLine,
    Data {
        remaining: u64,
    },
    DataEnd,
    Trailers,
    Done,
}

/// What [`ChunkedDecoder::decode`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChunkedStep {
    /// Some bytes of the body, never none: a chunk, or what is there of one.
    Data(Bytes),
    /// The buffer holds no more data; call again when it has grown.
    NeedMore,
    /// The body is over. What the buffer still holds follows the body.
    Done(HeaderList),
}

/// Why a chunked body is refused. The connection cannot be used any further.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ChunkedError {
    /// A size line is not `size[;extensions]` and CR LF.
    #[error("Bad chunk size")]
    BadSize,
    /// A size does not fit 64 bits.
    #[error("Chunk size too large")]
    SizeTooLarge,
    /// A size line is longer than [`MAX_SIZE_LINE`].
    #[error("Chunk size line longer than {MAX_SIZE_LINE} bytes")]
    SizeLineTooLong,
    /// A chunk's data is not followed by CR LF.
    #[error("Chunk data not followed by a line end")]
    BadDataEnd,
    /// A trailer line is no field or does not end with CR LF.
    #[error("Bad trailer field")]
    BadTrailer,
    /// The trailer section is longer than [`MAX_TRAILERS`], or has more than
    /// [`MAX_TRAILER_FIELDS`] fields.
    #[error("Trailers longer than {MAX_TRAILERS} bytes or {MAX_TRAILER_FIELDS} fields")]
    TrailersTooLarge,
}

impl ChunkedError {
    /// The status that the peer is owed.
    pub fn status(&self) -> u16 {
        400
    }

    /// What to tell the peer.
    pub fn message(&self) -> String {
        self.to_string()
    }
}

impl ChunkedDecoder {
    /// A decoder at the start of a body.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next step and its bytes off `buf`.
    ///
    /// Extensions are skipped. Between two calls bytes may only be added at
    /// the buffer's end. After the end it stays at `Done`, without trailers.
    pub fn decode(&mut self, buf: &mut BytesMut) -> Result<ChunkedStep, ChunkedError> {
        loop {
            match self.state {
                State::SizeLine => match self.take_size_line(buf)? {
                    None => return Ok(ChunkedStep::NeedMore),
                    Some(0) => self.state = State::Trailers,
                    Some(remaining) => self.state = State::Data { remaining },
                },
                State::Data { remaining: 0 } => self.state = State::DataEnd,
                State::Data { remaining } => {
                    if buf.is_empty() {
                        return Ok(ChunkedStep::NeedMore);
                    }
                    // A chunk larger than the address space is larger than the buffer.
                    let length = usize::try_from(remaining).map_or(buf.len(), |r| r.min(buf.len()));
                    self.state = State::Data { remaining: remaining - length as u64 };
                    return Ok(ChunkedStep::Data(buf.split_to(length).freeze()));
                }
                State::DataEnd => match &buf[..] {
                    [b'\r', b'\n', ..] => {
                        let _ = buf.split_to(2);
                        self.state = State::SizeLine;
                    }
                    [] | [b'\r'] => return Ok(ChunkedStep::NeedMore),
                    _ => return Err(ChunkedError::BadDataEnd),
                },
                State::Trailers => {
                    let Some(trailers) = self.take_trailers(buf)? else {
                        return Ok(ChunkedStep::NeedMore);
                    };
                    self.state = State::Done;
                    return Ok(ChunkedStep::Done(trailers));
                }
                State::Done => return Ok(ChunkedStep::Done(HeaderList::new())),
            }
        }
    }

    fn take_size_line(&mut self, buf: &mut BytesMut) -> Result<Option<u64>, ChunkedError> {
        let limit = buf.len().min(MAX_SIZE_LINE);
        let found = buf[self.scanned..limit].iter().position(|&byte| byte == b'\n');
        let Some(offset) = found else {
            self.scanned = limit;
            return if limit == MAX_SIZE_LINE {
                Err(ChunkedError::SizeLineTooLong)
            } else {
                Ok(None)
            };
        };
        let line = buf.split_to(self.scanned + offset + 1);
        self.scanned = 0;
        let line = line.strip_suffix(b"\r\n").ok_or(ChunkedError::BadSize)?;
        parse_size(line).map(Some)
    }

    fn take_trailers(&mut self, buf: &mut BytesMut) -> Result<Option<HeaderList>, ChunkedError> {
        loop {
            let limit = buf.len().min(MAX_TRAILERS);
            let found = buf[self.scanned..limit].iter().position(|&byte| byte == b'\n');
            let Some(offset) = found else {
                self.scanned = limit;
                return if limit == MAX_TRAILERS {
                    Err(ChunkedError::TrailersTooLarge)
                } else {
                    Ok(None)
                };
            };
            let line_end = self.scanned + offset + 1;
            let line = &buf[self.line_start..line_end];
            if !line.ends_with(b"\r\n") {
                return Err(ChunkedError::BadTrailer);
            }
            let is_blank = line == b"\r\n";
            self.scanned = line_end;
            self.line_start = line_end;
            if is_blank {
                return parse_trailers(&buf.split_to(line_end).freeze()).map(Some);
            }
        }
    }
}

/// Reads `size [BWS] [; extensions]`.
fn parse_size(line: &[u8]) -> Result<u64, ChunkedError> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, extensions) = line.split_at(digits);
    if digits.is_empty() {
        return Err(ChunkedError::BadSize);
    }
    let is_text = |byte: &u8| !byte.is_ascii_control() || *byte == b'\t';
    let is_extension = match extensions.iter().find(|byte| !matches!(byte, b' ' | b'\t')) {
        None => true,
        Some(b';') => extensions.iter().all(is_text),
        Some(_) => false,
    };
    if !is_extension {
        return Err(ChunkedError::BadSize);
    }
    digits.iter().try_fold(0_u64, |size, &byte| {
        // Each is a hex digit, see above.
        let digit = char::from(byte).to_digit(16).unwrap_or(0);
        size.checked_mul(16).map(|size| size | u64::from(digit)).ok_or(ChunkedError::SizeTooLarge)
    })
}

fn parse_trailers(section: &Bytes) -> Result<HeaderList, ChunkedError> {
    // Most bodies have none.
    if &section[..] == b"\r\n" {
        return Ok(HeaderList::new());
    }
    let mut slots = [httparse::EMPTY_HEADER; MAX_TRAILER_FIELDS];
    match httparse::parse_headers(section, &mut slots) {
        Ok(httparse::Status::Complete((_, fields))) => Ok(fields
            .iter()
            .map(|field| (section.slice_ref(field.name.as_bytes()), section.slice_ref(field.value)))
            .collect()),
        Err(httparse::Error::TooManyHeaders) => Err(ChunkedError::TrailersTooLarge),
        Ok(httparse::Status::Partial) | Err(_) => Err(ChunkedError::BadTrailer),
    }
}

/// Appends `data` as one chunk. Without data that is the last chunk and the
/// end of an empty trailer section.
pub fn encode_chunk(data: &[u8], out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{:x}\r\n", data.len());
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The whole body, its trailers, and how many bytes of `input` they took.
    type Decoded = Option<(Vec<u8>, HeaderList, usize)>;

    fn decode_in_pieces(input: &[u8], step: usize) -> Result<Decoded, ChunkedError> {
        let mut decoder = ChunkedDecoder::new();
        let mut buf = BytesMut::new();
        let mut body = Vec::new();
        let mut fed = 0;
        for piece in input.chunks(step) {
            buf.extend_from_slice(piece);
            fed += piece.len();
            loop {
                match decoder.decode(&mut buf)? {
                    ChunkedStep::Data(data) => {
                        assert!(!data.is_empty());
                        body.extend_from_slice(&data);
                    }
                    ChunkedStep::NeedMore => break,
                    ChunkedStep::Done(trailers) => {
                        let done = ChunkedStep::Done(HeaderList::new());
                        assert_eq!(decoder.decode(&mut buf), Ok(done));
                        return Ok(Some((body, trailers, fed - buf.len())));
                    }
                }
            }
        }
        Ok(None)
    }

    fn decode(input: &[u8]) -> Result<Decoded, ChunkedError> {
        let whole = decode_in_pieces(input, input.len().max(1));
        assert_eq!(decode_in_pieces(input, 1), whole);
        whole
    }

    #[test]
    fn chunks_are_joined() {
        assert_eq!(
            decode(b"3\r\nabc\r\n0A\r\n0123\r\n6789\r\n0\r\n\r\nrest"),
            Ok(Some((b"abc0123\r\n6789".to_vec(), HeaderList::new(), 29)))
        );
        assert_eq!(decode(b"000\r\n\r\n"), Ok(Some((Vec::new(), HeaderList::new(), 7))));
    }

    #[test]
    fn data_comes_as_it_arrives() {
        let mut decoder = ChunkedDecoder::new();
        let mut buf = BytesMut::from(&b"5\r\nab"[..]);
        let data = |bytes| Ok(ChunkedStep::Data(Bytes::from_static(bytes)));
        assert_eq!(decoder.decode(&mut buf), data(b"ab"));
        assert_eq!(decoder.decode(&mut buf), Ok(ChunkedStep::NeedMore));
        buf.extend_from_slice(b"cde\r\n1\r\nf\r");
        assert_eq!(decoder.decode(&mut buf), data(b"cde"));
        assert_eq!(decoder.decode(&mut buf), data(b"f"));
        assert_eq!(decoder.decode(&mut buf), Ok(ChunkedStep::NeedMore));
        assert_eq!(&buf[..], b"\r");
    }

    #[test]
    fn extensions_are_skipped() {
        assert_eq!(
            decode(b"1;a=b\r\nx\r\n1 \t;\r\ny\r\n0 ;q=\"\xe9;\"\r\n\r\n"),
            Ok(Some((b"xy".to_vec(), HeaderList::new(), 32)))
        );
    }

    #[test]
    fn trailers_are_fields() {
        assert_eq!(
            decode(b"0\r\nA: b\r\na:c\r\n\r\n"),
            Ok(Some((Vec::new(), [("A", "b"), ("a", "c")].into_iter().collect(), 16)))
        );
    }

    #[test]
    fn a_body_without_its_end_needs_more() {
        let input = b"1;x\r\na\r\n0\r\nA: b\r\n\r\n";
        for length in 0..input.len() {
            assert_eq!(decode(&input[..length]), Ok(None));
        }
    }

    #[test]
    fn bad_sizes() {
        for line in [
            &b"\r\n"[..],
            b" 1\r\n",
            b"+1\r\n",
            b"-1\r\n",
            b"0x1\r\n",
            b"1_0\r\n",
            b"g\r\n",
            b"1 2\r\n",
            b"1 x\r\n",
            b"1=\r\n",
            b";a\r\n",
            b"1;\0\r\n",
            b"1;a\r;b\r\n",
            b"1\r\r\n",
        ] {
            assert_eq!(decode(line), Err(ChunkedError::BadSize), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn a_bare_lf_ends_no_line() {
        assert_eq!(decode(b"1\nx\r\n"), Err(ChunkedError::BadSize));
        assert_eq!(decode(b"1;a\nx\r\n"), Err(ChunkedError::BadSize));
        assert_eq!(decode(b"1\r\nx\n"), Err(ChunkedError::BadDataEnd));
        assert_eq!(decode(b"0\r\n\n"), Err(ChunkedError::BadTrailer));
        assert_eq!(decode(b"0\r\nA: b\n\r\n"), Err(ChunkedError::BadTrailer));
    }

    #[test]
    fn data_that_is_longer_than_its_size() {
        assert_eq!(decode(b"1\r\nxy\r\n"), Err(ChunkedError::BadDataEnd));
        assert_eq!(decode(b"1\r\nx\ry"), Err(ChunkedError::BadDataEnd));
    }

    #[test]
    fn sizes_have_a_limit() {
        let mut buf = BytesMut::from(&b"00000ffffFFFFffffFFFF\r\nab"[..]);
        assert_eq!(
            ChunkedDecoder::new().decode(&mut buf),
            Ok(ChunkedStep::Data(Bytes::from_static(b"ab")))
        );
        assert_eq!(decode(b"10000000000000000\r\n"), Err(ChunkedError::SizeTooLarge));
    }

    #[test]
    fn size_lines_have_a_limit() {
        let line = |length: usize| format!("0;{}\r\n\r\n", "x".repeat(length - 4));
        assert!(decode(line(MAX_SIZE_LINE).as_bytes()).unwrap().is_some());
        assert_eq!(decode(line(MAX_SIZE_LINE + 1).as_bytes()), Err(ChunkedError::SizeLineTooLong));
        assert_eq!(decode(&[b'0'; MAX_SIZE_LINE]), Err(ChunkedError::SizeLineTooLong));
    }

    #[test]
    fn trailers_have_limits() {
        let many = |count| format!("0\r\n{}\r\n", "A: b\r\n".repeat(count));
        let (_, trailers, _) = decode(many(MAX_TRAILER_FIELDS).as_bytes()).unwrap().unwrap();
        assert_eq!(trailers.len(), MAX_TRAILER_FIELDS);
        assert_eq!(
            decode(many(MAX_TRAILER_FIELDS + 1).as_bytes()),
            Err(ChunkedError::TrailersTooLarge)
        );
        let endless = [b"0\r\nA: ".to_vec(), vec![b'b'; MAX_TRAILERS]].concat();
        assert_eq!(decode(&endless), Err(ChunkedError::TrailersTooLarge));
    }

    #[test]
    fn bad_trailers() {
        for trailer in ["A", "A : b", ": b", "A: b\r\n c", "A: \0"] {
            assert_eq!(
                decode(format!("0\r\n{trailer}\r\n\r\n").as_bytes()),
                Err(ChunkedError::BadTrailer),
                "{trailer:?}"
            );
        }
    }

    #[test]
    fn errors_have_a_status_and_a_message() {
        let error = ChunkedError::SizeLineTooLong;
        assert_eq!(error.status(), 400);
        assert_eq!(error.message(), "Chunk size line longer than 4096 bytes");
    }

    proptest! {
        #[test]
        fn encoded_chunks_come_back(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8),
            step in 1_usize..50,
        ) {
            let mut input = Vec::new();
            for chunk in &chunks {
                encode_chunk(chunk, &mut input);
            }
            encode_chunk(b"", &mut input);
            let length = input.len();
            input.extend_from_slice(b"rest");
            prop_assert_eq!(
                decode_in_pieces(&input, step),
                Ok(Some((chunks.concat(), HeaderList::new(), length)))
            );
        }

        #[test]
        fn pieces_end_as_the_whole_does(
            input in prop::collection::vec(prop::sample::select(&b"012\r\n\r\n\r\n;aA:"[..]), 0..40),
        ) {
            let _ = decode(&input);
        }
    }
}
