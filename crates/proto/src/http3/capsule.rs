//! Capsules (RFC 9297, section 3), as WebTransport sends them in the content of its CONNECT.

use bytes::{Buf, Bytes, BytesMut};

use super::{
    error::{Code, ConnectionError},
    varint,
};

/// What a capsule says of a session of WebTransport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capsule {
    /// It is over, with an application's code and at most [`MAX_REASON`] bytes of a reason.
    Close {
        /// The code.
        code: u32,
        /// The reason: UTF-8, if the peer keeps to the draft.
        reason: Bytes,
    },
    /// It is to come to an end.
    Drain,
}

/// The longest reason of a close, in bytes.
pub const MAX_REASON: usize = 1024;

const CLOSE: u64 = 0x2843;
const DRAIN: u64 = 0x78ae;

impl Capsule {
    /// Appends the capsule; of a reason what is longer than [`MAX_REASON`] is cut off.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Close { code, reason } => {
                let reason = &reason[..reason.len().min(MAX_REASON)];
                varint::encode(CLOSE, out);
                varint::encode((size_of::<u32>() + reason.len()) as u64, out);
                out.extend_from_slice(&code.to_be_bytes());
                out.extend_from_slice(reason);
            }
            Self::Drain => {
                varint::encode(DRAIN, out);
                varint::encode(0, out);
            }
        }
    }
}

/// Takes capsules off a buffer. Those of types that nobody knows are passed over.
#[derive(Debug, Default)]
pub struct CapsuleDecoder {
    /// What is still to come of a capsule that is passed over.
    skipped: u64,
}

impl CapsuleDecoder {
    /// The next capsule; `None` while more bytes are needed.
    pub fn next(&mut self, buf: &mut BytesMut) -> Result<Option<Capsule>, ConnectionError> {
        loop {
            let skipped = usize::try_from(self.skipped).unwrap_or(usize::MAX).min(buf.len());
            buf.advance(skipped);
            self.skipped -= skipped as u64;
            let mut rest = &buf[..];
            let (Some(kind), Some(length)) = (varint::take(&mut rest), varint::take(&mut rest))
            else {
                return Ok(None);
            };
            let header = buf.len() - rest.len();
            match kind {
                CLOSE => {
                    let wrong = |reason| Err(ConnectionError::new(Code::DATAGRAM_ERROR, reason));
                    let Ok(length @ 4..=MAX_CLOSE) = usize::try_from(length) else {
                        return wrong("a capsule that closes a session has the wrong size");
                    };
                    let Some((code, _)) = rest.split_first_chunk() else { return Ok(None) };
                    if rest.len() < length {
                        return Ok(None);
                    }
                    let code = u32::from_be_bytes(*code);
                    buf.advance(header + size_of::<u32>());
                    let reason = buf.split_to(length - size_of::<u32>()).freeze();
                    return Ok(Some(Capsule::Close { code, reason }));
                }
                DRAIN if length == 0 => {
                    buf.advance(header);
                    return Ok(Some(Capsule::Drain));
                }
                _ => {
                    buf.advance(header);
                    self.skipped = length;
                }
            }
        }
    }

    /// Whether the content may end here: between two capsules.
    pub fn is_between_capsules(&self, buf: &BytesMut) -> bool {
        self.skipped == 0 && buf.is_empty()
    }
}

const MAX_CLOSE: usize = size_of::<u32>() + MAX_REASON;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8], size: usize) -> Result<Vec<Capsule>, ConnectionError> {
        let (mut buf, mut found) = (BytesMut::new(), Vec::new());
        let mut decoder = CapsuleDecoder::default();
        for piece in bytes.chunks(size) {
            buf.extend_from_slice(piece);
            while let Some(capsule) = decoder.next(&mut buf)? {
                found.push(capsule);
            }
        }
        Ok(found)
    }

    fn close(code: u32, reason: impl Into<Bytes>) -> Capsule {
        Capsule::Close { code, reason: reason.into() }
    }

    #[test]
    fn a_close_has_a_code_and_a_reason() {
        let bytes = b"\x68\x43\x07\0\0\0\x2abye\x80\0\x78\xae\0";
        assert_eq!(read(bytes, 1), Ok(vec![close(42, &b"bye"[..]), Capsule::Drain]));
        let mut out = Vec::new();
        close(42, &b"bye"[..]).encode(&mut out);
        assert_eq!(out, bytes[..10]);
    }

    #[test]
    fn others_are_passed_over() {
        let mut bytes = b"\x17\x05other".to_vec();
        Capsule::Drain.encode(&mut bytes);
        assert_eq!(read(&bytes, 2), Ok(vec![Capsule::Drain]));
    }

    #[test]
    fn a_close_of_the_wrong_size_is_refused() {
        for length in [&b"\x03"[..], b"\x44\x05"] {
            let bytes = [b"\x68\x43", length].concat();
            assert_eq!(read(&bytes, 9).unwrap_err().code, Code::DATAGRAM_ERROR);
        }
    }

    #[test]
    fn a_long_reason_is_cut() {
        let mut out = Vec::new();
        close(0, vec![b'x'; MAX_REASON + 1]).encode(&mut out);
        assert_eq!(read(&out, 100), Ok(vec![close(0, vec![b'x'; MAX_REASON])]));
    }

    proptest! {
        #[test]
        fn a_close_comes_back(
            code: u32,
            reason in prop::collection::vec(any::<u8>(), 0..=MAX_REASON),
            size in 1_usize..2000,
        ) {
            let mut out = Vec::new();
            close(code, reason.clone()).encode(&mut out);
            prop_assert_eq!(read(&out, size), Ok(vec![close(code, reason)]));
        }

        #[test]
        fn any_bytes_are_read_to_their_end(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            size in 1_usize..20,
        ) {
            let _read = read(&bytes, size);
        }
    }
}
