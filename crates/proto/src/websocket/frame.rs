//! Frames (RFC 6455, section 5).

use bytes::{Buf, BytesMut};
use thiserror::Error;

/// What a frame is: any four bits, for a test may send a reserved one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opcode(u8);

impl Opcode {
    /// Goes on with a message.
    pub const CONTINUATION: Self = Self(0x0);
    /// Begins a message of text.
    pub const TEXT: Self = Self(0x1);
    /// Begins a message of bytes.
    pub const BINARY: Self = Self(0x2);
    /// Closes.
    pub const CLOSE: Self = Self(0x8);
    /// Asks for a pong.
    pub const PING: Self = Self(0x9);
    /// Answers a ping.
    pub const PONG: Self = Self(0xa);

    /// The opcode of the low four bits.
    pub fn new(bits: u8) -> Self {
        Self(bits & 0xf)
    }

    /// The four bits.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Whether it is one of the control opcodes, the reserved ones among them.
    pub fn is_control(self) -> bool {
        self.0 & 0x8 != 0
    }
}

/// What stands in front of a frame's payload, but for its length and its mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are bits of the wire")]
pub struct FrameHeader {
    /// Whether it is the last frame of its message.
    pub fin: bool,
    /// The first reserved bit: of a compressed message's first frame.
    pub rsv1: bool,
    /// The second reserved bit.
    pub rsv2: bool,
    /// The third reserved bit.
    pub rsv3: bool,
    /// What it is.
    pub opcode: Opcode,
}

impl FrameHeader {
    /// The header of a frame that is a message by itself.
    pub fn whole(opcode: Opcode) -> Self {
        Self { fin: true, rsv1: false, rsv2: false, rsv3: false, opcode }
    }

    /// Appends a frame; its payload is masked when there is a key.
    pub fn encode(self, payload: &[u8], mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
        out.reserve(payload.len() + MAX_HEADER);
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        out.push(
            bit(self.fin, 0x80)
                | bit(self.rsv1, 0x40)
                | bit(self.rsv2, 0x20)
                | bit(self.rsv3, 0x10)
                | self.opcode.bits(),
        );
        let masked = bit(mask.is_some(), 0x80);
        if let Ok(length @ 0..=125) = u8::try_from(payload.len()) {
            out.push(masked | length);
        } else if let Ok(length) = u16::try_from(payload.len()) {
            out.push(masked | LENGTH_IN_2);
            out.extend_from_slice(&length.to_be_bytes());
        } else {
            out.push(masked | LENGTH_IN_8);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
        if let Some(key) = mask {
            out.extend_from_slice(&key);
        }
        let start = out.len();
        out.extend_from_slice(payload);
        if let Some(key) = mask {
            apply_mask(&mut out[start..], key);
        }
    }
}

/// A frame whose payload is complete and unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its header.
    pub header: FrameHeader,
    /// Its payload.
    pub payload: BytesMut,
}

/// Why bytes are no frame. Nothing that follows can be read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FrameError {
    /// A client masks its frames.
    #[error("a frame is not masked")]
    Unmasked,
    /// A server does not.
    #[error("a frame is masked")]
    Masked,
    /// The most significant bit of a length is 0.
    #[error("a frame has a length of 2^63 or more")]
    LengthOverflow,
    /// A control frame has at most 125 bytes.
    #[error("a control frame has {0} bytes, of at most 125")]
    ControlTooLong(u64),
    /// The frame is longer than is allowed here.
    #[error("a frame has {length} bytes, of at most {limit}")]
    TooLong {
        /// Its length.
        length: u64,
        /// The limit.
        limit: u64,
    },
}

/// Takes frames off a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameDecoder {
    /// Whether the frames are a client's, and so masked.
    pub masked: bool,
    /// The longest payload.
    pub max_payload: u64,
}

impl FrameDecoder {
    /// Takes one frame off the start of `buf`; `None` while it is not complete. A length in more
    /// bytes than it needs is taken as it is.
    pub fn decode(&self, buf: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let &[first, second, ..] = &buf[..] else {
            return Ok(None);
        };
        let masked = second & 0x80 != 0;
        if masked != self.masked {
            return Err(if masked { FrameError::Masked } else { FrameError::Unmasked });
        }
        let mut position = 2;
        let length = match second & 0x7f {
            LENGTH_IN_2 => {
                field(buf, &mut position).map(|bytes| u64::from(u16::from_be_bytes(bytes)))
            }
            LENGTH_IN_8 => field(buf, &mut position).map(u64::from_be_bytes),
            length => Some(u64::from(length)),
        };
        let Some(length) = length else {
            return Ok(None);
        };
        let opcode = Opcode::new(first);
        if length >> 63 != 0 {
            return Err(FrameError::LengthOverflow);
        }
        if opcode.is_control() && length > 125 {
            return Err(FrameError::ControlTooLong(length));
        }
        let (Ok(payload_length), true) = (usize::try_from(length), length <= self.max_payload)
        else {
            return Err(FrameError::TooLong { length, limit: self.max_payload });
        };
        let key = if masked {
            let Some(key) = field(buf, &mut position) else {
                return Ok(None);
            };
            Some(key)
        } else {
            None
        };
        if buf.len() - position < payload_length {
            return Ok(None);
        }
        buf.advance(position);
        let mut payload = buf.split_to(payload_length);
        if let Some(key) = key {
            apply_mask(&mut payload, key);
        }
        let header = FrameHeader {
            fin: first & 0x80 != 0,
            rsv1: first & 0x40 != 0,
            rsv2: first & 0x20 != 0,
            rsv3: first & 0x10 != 0,
            opcode,
        };
        Ok(Some(Frame { header, payload }))
    }
}

/// The next field of a fixed size.
fn field<const N: usize>(buf: &[u8], position: &mut usize) -> Option<[u8; N]> {
    let bytes = buf.get(*position..*position + N)?;
    *position += N;
    bytes.try_into().ok()
}

/// Masks or unmasks: the key, over and over (RFC 6455, section 5.3).
pub fn apply_mask(data: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = data.chunks_exact_mut(8);
    for chunk in &mut chunks {
        // A chunk has 8 bytes.
        let word = u64::from_ne_bytes(chunk.try_into().unwrap_or_default()) ^ wide;
        chunk.copy_from_slice(&word.to_ne_bytes());
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// Stands for a length in the two bytes that follow,
const LENGTH_IN_2: u8 = 0x7e;
/// and in the eight.
const LENGTH_IN_8: u8 = 0x7f;
/// The longest header: two bytes, a length in eight, a mask.
const MAX_HEADER: usize = 14;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CLIENT: FrameDecoder = FrameDecoder { masked: true, max_payload: 1 << 20 };

    fn decode(decoder: FrameDecoder, bytes: &[u8]) -> Result<Option<Frame>, FrameError> {
        decoder.decode(&mut BytesMut::from(bytes))
    }

    #[test]
    fn the_examples_of_the_rfc() {
        let frame =
            decode(CLIENT, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58").unwrap().unwrap();
        assert_eq!(frame.header, FrameHeader::whole(Opcode::TEXT));
        assert_eq!(&frame.payload[..], b"Hello");
        let mut out = Vec::new();
        FrameHeader::whole(Opcode::TEXT).encode(b"Hello", None, &mut out);
        assert_eq!(out, b"\x81\x05Hello");
        for (length, head) in [
            (125, &b"\x82\x7d"[..]),
            (126, b"\x82\x7e\0\x7e"),
            (256, b"\x82\x7e\x01\0"),
            (65536, b"\x82\x7f\0\0\0\0\0\x01\0\0"),
        ] {
            let mut out = Vec::new();
            FrameHeader::whole(Opcode::BINARY).encode(&vec![0; length], None, &mut out);
            assert_eq!(&out[..head.len()], head);
            assert_eq!(out.len(), head.len() + length);
        }
    }

    #[test]
    fn what_is_no_frame_is_known_from_its_header() {
        assert_eq!(decode(CLIENT, b"\x81\x05"), Err(FrameError::Unmasked));
        let server = FrameDecoder { masked: false, ..CLIENT };
        assert_eq!(decode(server, b"\x81\x85"), Err(FrameError::Masked));
        assert_eq!(decode(CLIENT, b"\x89\xfe\x00\x7e"), Err(FrameError::ControlTooLong(126)));
        assert_eq!(decode(CLIENT, b"\x82\xff\x80\0\0\0\0\0\0\0"), Err(FrameError::LengthOverflow));
        let too_long = FrameError::TooLong { length: 1 << 21, limit: 1 << 20 };
        assert_eq!(decode(CLIENT, b"\x82\xff\0\0\0\0\0\x20\0\0"), Err(too_long));
        // Longer than it has to be, as the reference takes it.
        assert!(decode(CLIENT, b"\x82\xfe\0\x01\0\0\0\0x").unwrap().is_some());
    }

    proptest! {
        #[test]
        fn a_frame_comes_back_from_pieces(
            bits in any::<u8>(),
            payload in proptest::collection::vec(any::<u8>(), 0..70_000),
            key in any::<Option<[u8; 4]>>(),
            piece in 1_usize..100,
        ) {
            let opcode = Opcode::new(bits);
            let payload = &payload[..if opcode.is_control() { payload.len().min(125) } else { payload.len() }];
            let bit = |mask: u8| bits & mask != 0;
            let header = FrameHeader {
                fin: bit(0x80), rsv1: bit(0x40), rsv2: bit(0x20), rsv3: bit(0x10), opcode,
            };
            let mut bytes = Vec::new();
            header.encode(payload, key, &mut bytes);
            let decoder = FrameDecoder { masked: key.is_some(), max_payload: 70_000 };
            let mut buf = BytesMut::new();
            let (head, rest) = bytes.split_at(piece.min(bytes.len() - 1));
            buf.extend_from_slice(head);
            prop_assert_eq!(decoder.decode(&mut buf), Ok(None));
            buf.extend_from_slice(rest);
            buf.extend_from_slice(b"next");
            let frame = decoder.decode(&mut buf).unwrap().unwrap();
            prop_assert_eq!(frame.header, header);
            prop_assert_eq!(&frame.payload[..], payload);
            prop_assert_eq!(&buf[..], b"next");
        }
    }
}
