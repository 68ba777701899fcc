//! Frames: their header, and whole frames as bytes.

/// The bytes that a client begins a connection with (RFC 9113 section 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The length of a frame's header.
pub const HEADER_LENGTH: usize = 9;
/// The payload that every peer takes (RFC 9113 section 4.2).
pub const MIN_MAX_FRAME_SIZE: usize = 16_384;

/// What a frame is (RFC 9113 section 6); any byte is a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(pub u8);

#[expect(missing_docs, reason = "the names of RFC 9113, section 6")]
impl Kind {
    pub const DATA: Self = Self(0);
    pub const HEADERS: Self = Self(1);
    pub const PRIORITY: Self = Self(2);
    pub const RST_STREAM: Self = Self(3);
    pub const SETTINGS: Self = Self(4);
    pub const PUSH_PROMISE: Self = Self(5);
    pub const GOAWAY: Self = Self(7);
    pub const WINDOW_UPDATE: Self = Self(8);
    pub const CONTINUATION: Self = Self(9);
    /// A type that means nothing; a peer ignores such frames (RFC 9113 section 4.1).
    pub const IGNORED: Self = Self(0xbb);
}

/// The flags of a frame; what a bit means depends on the frame's type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// None.
    pub const NONE: Self = Self(0);
    /// ACK, of SETTINGS and PING.
    pub const ACK: Self = Self(1);
    /// `END_STREAM`, of DATA and HEADERS.
    pub const END_STREAM: Self = Self(1);
    /// `END_HEADERS`, of HEADERS, `PUSH_PROMISE` and CONTINUATION.
    pub const END_HEADERS: Self = Self(4);
    /// PADDED, of DATA, HEADERS and `PUSH_PROMISE`.
    pub const PADDED: Self = Self(8);
    /// PRIORITY, of HEADERS.
    pub const PRIORITY: Self = Self(0x20);

    /// Whether all of these are set.
    pub fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// These, and others when `on`.
    #[must_use]
    pub fn with(self, flags: Self, on: bool) -> Self {
        if on { Self(self.0 | flags.0) } else { self }
    }
}

/// The header of a frame (RFC 9113 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// The length of the payload; 24 bits.
    pub length: u32,
    /// The type.
    pub kind: Kind,
    /// The flags.
    pub flags: Flags,
    /// The stream, 31 bits; 0 is the connection.
    pub stream: u32,
}

impl FrameHeader {
    /// Reads a header. The reserved bit is ignored.
    pub fn decode(bytes: &[u8; HEADER_LENGTH]) -> Self {
        let [a, b, c, kind, flags, stream @ ..] = *bytes;
        Self {
            length: u32::from_be_bytes([0, a, b, c]),
            kind: Kind(kind),
            flags: Flags(flags),
            stream: u32::from_be_bytes(stream) & STREAM_MASK,
        }
    }

    /// The header as bytes.
    pub fn encode(self) -> [u8; HEADER_LENGTH] {
        let [_, a, b, c] = self.length.to_be_bytes();
        let [s0, s1, s2, s3] = (self.stream & STREAM_MASK).to_be_bytes();
        [a, b, c, self.kind.0, self.flags.0, s0, s1, s2, s3]
    }
}

/// A frame with this payload. One that is longer than 24 bits can tell is cut.
fn frame(out: &mut Vec<u8>, kind: Kind, flags: Flags, stream: u32, payload: &[&[u8]]) {
    let length: usize = payload.iter().map(|part| part.len()).sum();
    let length = u32::try_from(length).unwrap_or(MAX_LENGTH).min(MAX_LENGTH);
    out.reserve(HEADER_LENGTH + length as usize);
    out.extend_from_slice(&FrameHeader { length, kind, flags, stream }.encode());
    let mut left = length as usize;
    for part in payload {
        let taken = part.len().min(left);
        out.extend_from_slice(&part[..taken]);
        left -= taken;
    }
}

/// Appends a DATA frame.
pub fn data(out: &mut Vec<u8>, stream: u32, flags: Flags, payload: &[u8]) {
    frame(out, Kind::DATA, flags, stream, &[payload]);
}

/// Appends a header block as one frame of `kind`, HEADERS or CONTINUATION, with exactly these
/// flags; or, when `limit` is given, as a HEADERS frame of at most that payload and as many
/// CONTINUATION frames as are needed, the last with `END_HEADERS`.
pub fn headers(
    out: &mut Vec<u8>,
    kind: Kind,
    stream: u32,
    flags: Flags,
    block: &[u8],
    limit: Option<usize>,
) {
    let Some(limit) = limit else {
        return frame(out, kind, flags, stream, &[block]);
    };
    let mut rest = block;
    let mut kind = kind;
    let mut flags = flags;
    loop {
        let (part, after) = rest.split_at(rest.len().min(limit.max(1)));
        let last = after.is_empty();
        frame(out, kind, flags.with(Flags::END_HEADERS, last), stream, &[part]);
        if last {
            return;
        }
        rest = after;
        kind = Kind::CONTINUATION;
        flags = Flags::NONE;
    }
}

/// Appends a `PUSH_PROMISE` frame, and CONTINUATION frames where the block is longer than `limit`.
pub fn push_promise(out: &mut Vec<u8>, stream: u32, promised: u32, block: &[u8], limit: usize) {
    let promised = (promised & STREAM_MASK).to_be_bytes();
    let (part, rest) = block.split_at(block.len().min(limit.saturating_sub(promised.len())));
    let flags = Flags::NONE.with(Flags::END_HEADERS, rest.is_empty());
    frame(out, Kind::PUSH_PROMISE, flags, stream, &[&promised, part]);
    if !rest.is_empty() {
        headers(out, Kind::CONTINUATION, stream, Flags::NONE, rest, Some(limit));
    }
}

/// Appends a `RST_STREAM` frame.
pub fn reset(out: &mut Vec<u8>, stream: u32, code: u32) {
    frame(out, Kind::RST_STREAM, Flags::NONE, stream, &[&code.to_be_bytes()]);
}

/// Appends a GOAWAY frame.
pub fn goaway(out: &mut Vec<u8>, last_stream: u32, code: u32, debug_data: &[u8]) {
    let last = (last_stream & STREAM_MASK).to_be_bytes();
    frame(out, Kind::GOAWAY, Flags::NONE, 0, &[&last, &code.to_be_bytes(), debug_data]);
}

/// Appends a `WINDOW_UPDATE` frame.
pub fn window_update(out: &mut Vec<u8>, stream: u32, increment: u32) {
    frame(out, Kind::WINDOW_UPDATE, Flags::NONE, stream, &[&increment.to_be_bytes()]);
}

const STREAM_MASK: u32 = 0x7fff_ffff;
const MAX_LENGTH: u32 = 0x00ff_ffff;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames(mut bytes: &[u8]) -> Vec<(FrameHeader, Vec<u8>)> {
        let mut found = Vec::new();
        while let Some((header, rest)) = bytes.split_first_chunk::<HEADER_LENGTH>() {
            let header = FrameHeader::decode(header);
            let (payload, rest) = rest.split_at(header.length as usize);
            found.push((header, payload.to_vec()));
            bytes = rest;
        }
        assert!(bytes.is_empty());
        found
    }

    #[test]
    fn frames_are_as_rfc_9113_draws_them() {
        let mut out = Vec::new();
        data(&mut out, 3, Flags::END_STREAM, b"hi");
        reset(&mut out, 5, 8);
        goaway(&mut out, 7, 2, b"why");
        window_update(&mut out, 0, 10);
        assert_eq!(
            out,
            b"\0\0\x02\0\x01\0\0\0\x03hi\0\0\x04\x03\0\0\0\0\x05\0\0\0\x08\
              \0\0\x0b\x07\0\0\0\0\0\0\0\0\x07\0\0\0\x02why\0\0\x04\x08\0\0\0\0\0\0\0\0\x0a"
        );
    }

    #[test]
    fn a_long_block_goes_into_continuations() {
        let mut out = Vec::new();
        headers(&mut out, Kind::HEADERS, 1, Flags::END_STREAM, b"abcde", Some(2));
        let kinds: Vec<_> = frames(&out).iter().map(|(h, p)| (h.kind, h.flags, p.len())).collect();
        assert_eq!(
            kinds,
            [
                (Kind::HEADERS, Flags::END_STREAM, 2),
                (Kind::CONTINUATION, Flags::NONE, 2),
                (Kind::CONTINUATION, Flags::END_HEADERS, 1)
            ]
        );
    }

    #[test]
    fn a_raw_frame_has_the_flags_it_is_given() {
        let mut out = Vec::new();
        headers(&mut out, Kind::CONTINUATION, 1, Flags::NONE, b"", None);
        assert_eq!(out, b"\0\0\0\x09\0\0\0\0\x01");
    }

    proptest! {
        #[test]
        fn a_header_is_read_as_it_was_written(
            length in 0..=MAX_LENGTH, kind: u8, flags: u8, stream in 0..=STREAM_MASK
        ) {
            let header = FrameHeader { length, kind: Kind(kind), flags: Flags(flags), stream };
            prop_assert_eq!(FrameHeader::decode(&header.encode()), header);
        }

        #[test]
        fn a_promise_holds_its_block(block in prop::collection::vec(any::<u8>(), 0..100), limit in 4_usize..40) {
            let mut out = Vec::new();
            push_promise(&mut out, 1, 2, &block, limit);
            let found = frames(&out);
            let mut read = found[0].1[4..].to_vec();
            for (header, payload) in &found[1..] {
                prop_assert_eq!(header.kind, Kind::CONTINUATION);
                read.extend_from_slice(payload);
            }
            prop_assert!(found.iter().all(|(header, _)| header.length as usize <= limit));
            prop_assert!(found.last().unwrap().0.flags.contains(Flags::END_HEADERS));
            prop_assert_eq!(read, block);
        }
    }
}
