//! The heads of requests, read between the socket and the HTTP/2 library.
//!
//! The library's types refuse what HTTP allows, and a head that it decodes takes memory before
//! anyone can say no. So it learns of a request only that there is one: each header block is
//! decoded here and kept aside by its stream, and the library gets one of a few bytes in its place,
//! which never touches its own table.

use std::sync::Arc;

use bytes::BytesMut;
use h2::Reason;
use proto::{
    HeadError, HeaderList,
    http2::{
        self, Block, Decoder, Flags, FrameHeader, HEADER_LENGTH, Http2Head, Http2HeadError, Kind,
        MIN_MAX_FRAME_SIZE,
    },
    request_head::MAX_HEAD,
};

use super::wire::{HeadersOf, Wire};
use crate::budget::{Budget, Taken};

/// The head of a request, as it was received.
#[derive(Debug)]
pub(super) struct Head {
    /// As handlers see it.
    pub(super) parsed: Http2Head,
    /// The header list as it came.
    pub(super) fields: HeaderList,
    /// What it takes of the connection's budget.
    pub(super) taken: Taken,
}

/// Why a request is not served. The others of its connection are.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Its head is malformed (RFC 9113, section 8.1.1).
    Malformed(&'static str),
    /// Its head is longer than is taken.
    TooLong(HeadError),
    /// The heads of those that are under way take all that they may.
    OverBudget,
}

/// Why the connection ends.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) reason: Reason,
    pub(super) text: String,
}

/// Reads the header blocks of a connection, in turn.
pub(super) struct HeadReader {
    decoder: Decoder,
    budget: Arc<Budget>,
    /// A block that goes on in CONTINUATION frames.
    begun: Option<Begun>,
}

struct Begun {
    block: Vec<u8>,
    of: HeadersOf,
}

impl HeadReader {
    pub(super) fn new(budget: Arc<Budget>) -> Self {
        Self { decoder: Decoder::new(TABLE_SIZE), budget, begun: None }
    }

    /// Whether a frame is to be read here. The library refuses one that is too long.
    pub(super) fn reads(header: FrameHeader) -> bool {
        matches!(header.kind, Kind::HEADERS | Kind::CONTINUATION)
            && header.length as usize <= MIN_MAX_FRAME_SIZE
    }

    /// Takes a frame, and writes the one that the library gets.
    ///
    /// Where frames stand wrongly it gets them so, and ends the connection.
    pub(super) fn take(
        &mut self,
        header: FrameHeader,
        payload: &[u8],
        wire: &Wire,
        out: &mut BytesMut,
    ) -> Result<(), Failure> {
        let is_last = header.flags.contains(Flags::END_HEADERS);
        let mut priority: &[u8] = b"";
        let mut stand_in = Vec::new();
        if header.kind == Kind::HEADERS {
            let Some(parts) = Parts::of(header.flags, payload) else {
                pass(header, payload, out);
                return Ok(());
            };
            priority = parts.priority;
            let of = wire.begin(header);
            if is_last {
                self.begun = None;
                stand_in = self.read(header.stream, parts.block, of, wire)?;
            } else {
                self.begun = Some(Begun { block: parts.block.to_vec(), of });
            }
        } else {
            let Some(mut begun) = self.begun.take() else {
                pass(header, payload, out);
                return Ok(());
            };
            begun.block.extend_from_slice(payload);
            if begun.block.len() > MAX_HEAD {
                let text = format!("a header block of more than {MAX_HEAD} bytes");
                return Err(Failure { reason: Reason::ENHANCE_YOUR_CALM, text });
            }
            if is_last {
                stand_in = self.read(header.stream, &begun.block, begun.of, wire)?;
            } else {
                self.begun = Some(begun);
            }
        }
        let flags = [Flags::END_STREAM, Flags::END_HEADERS, Flags::PRIORITY];
        let flags = flags
            .into_iter()
            .fold(Flags::NONE, |kept, flag| kept.with(flag, header.flags.contains(flag)));
        // Both are a few bytes.
        let length = u32::try_from(priority.len() + stand_in.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&FrameHeader { length, flags, ..header }.encode());
        out.extend_from_slice(priority);
        out.extend_from_slice(&stand_in);
        Ok(())
    }

    /// Reads a whole block; the one that the library gets in its place.
    fn read(
        &mut self,
        stream: u32,
        block: &[u8],
        of: HeadersOf,
        wire: &Wire,
    ) -> Result<Vec<u8>, Failure> {
        let block = self.decoder.decode(block, MAX_HEAD).map_err(|error| Failure {
            reason: Reason::COMPRESSION_ERROR,
            text: error.to_string(),
        })?;
        let mut stand_in = Vec::new();
        match of {
            HeadersOf::Request => {
                let head = self.head(block);
                stand_in.extend_from_slice(ANY_REQUEST);
                if let Ok(Head { parsed: Http2Head { length: Some(length), .. }, .. }) = &head {
                    // The library holds the body against it.
                    let length = length.to_string();
                    http2::encode_field(&mut stand_in, b"content-length", length.as_bytes());
                }
                wire.keep_head(stream, head);
            }
            // Nobody sees them; the library resets the stream of those that are wrong.
            HeadersOf::Trailers if http2::check_trailers(&block.fields).is_ok() => {}
            HeadersOf::Trailers => http2::encode_field(&mut stand_in, b"connection", b""),
            HeadersOf::Nothing => stand_in.extend_from_slice(ANY_REQUEST),
        }
        Ok(stand_in)
    }

    fn head(&self, Block { fields, size }: Block) -> Result<Head, Refusal> {
        if size > MAX_HEAD {
            return Err(Refusal::TooLong(HeadError::TooManyFields));
        }
        let taken = self.budget.take(size).ok_or(Refusal::OverBudget)?;
        let parsed = http2::parse_request(&fields).map_err(|error| match error {
            Http2HeadError::Malformed(text) => Refusal::Malformed(text),
            Http2HeadError::TooLong(error) => Refusal::TooLong(error),
        })?;
        Ok(Head { parsed, fields, taken })
    }
}

/// Hands a frame on as it is.
fn pass(header: FrameHeader, payload: &[u8], out: &mut BytesMut) {
    out.reserve(HEADER_LENGTH + payload.len());
    out.extend_from_slice(&header.encode());
    out.extend_from_slice(payload);
}

/// The payload of a HEADERS frame (RFC 9113, section 6.2).
struct Parts<'a> {
    /// The dependency and the weight, where there are any.
    priority: &'a [u8],
    block: &'a [u8],
}

impl<'a> Parts<'a> {
    /// `None` when the padding is longer than the frame, or the priority is missing.
    fn of(flags: Flags, payload: &'a [u8]) -> Option<Self> {
        let mut rest = payload;
        if flags.contains(Flags::PADDED) {
            let (padding, after) = rest.split_first()?;
            rest = after.split_at_checked(after.len().checked_sub(usize::from(*padding))?)?.0;
        }
        let length = if flags.contains(Flags::PRIORITY) { 5 } else { 0 };
        let (priority, block) = rest.split_at_checked(length)?;
        Some(Self { priority, block })
    }
}

/// What the heads of all connections may take.
pub(crate) fn heads_budget() -> Arc<Budget> {
    Arc::new(Budget::new(ALL_HEADS))
}

/// What the heads of a connection may take, of what all may.
pub(super) fn connection_budget(all: &Arc<Budget>) -> Arc<Budget> {
    Arc::new(Budget::within(Arc::clone(all), CONNECTION_HEADS))
}

/// `GET`, `http` and `/`, of the static table (RFC 7541, appendix A).
const ANY_REQUEST: &[u8] = b"\x82\x86\x84";
/// `SETTINGS_HEADER_TABLE_SIZE` is at its default (RFC 9113, section 6.5.2).
const TABLE_SIZE: usize = 4096;
/// Four of the longest heads. Of those that browsers send, every stream may have one.
const CONNECTION_HEADS: usize = 4 * MAX_HEAD;
const ALL_HEADS: usize = 32 * MAX_HEAD;
