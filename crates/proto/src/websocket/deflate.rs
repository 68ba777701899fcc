//! permessage-deflate (RFC 7692): the offer's parameters, and both directions.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use thiserror::Error;

/// What a client offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeflateOffer {
    /// The server is to forget the last message with each new one.
    pub server_no_context_takeover: bool,
    /// The client says that it does so.
    pub client_no_context_takeover: bool,
    /// The largest window of the server, as a power of two.
    pub server_max_window_bits: Option<u8>,
    /// Whether the server may choose the client's window; the value is the client's own limit.
    pub client_max_window_bits: Option<Option<u8>>,
}

impl DeflateOffer {
    /// Reads an offer's parameters (RFC 7692, section 7.1); `None` when it is to be declined: for
    /// a name that is unknown or repeated, or a value that is none.
    pub fn parse<'a>(
        parameters: impl IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    ) -> Option<Self> {
        let mut offer = Self::default();
        for (name, value) in parameters {
            match (name, value) {
                (b"server_no_context_takeover", None) => {
                    set(&mut offer.server_no_context_takeover)?;
                }
                (b"client_no_context_takeover", None) => {
                    set(&mut offer.client_no_context_takeover)?;
                }
                (b"server_max_window_bits", Some(bits)) => {
                    if offer.server_max_window_bits.replace(window_bits(bits)?).is_some() {
                        return None;
                    }
                }
                (b"client_max_window_bits", bits) => {
                    let bits = match bits {
                        Some(bits) => Some(window_bits(bits)?),
                        None => None,
                    };
                    if offer.client_max_window_bits.replace(bits).is_some() {
                        return None;
                    }
                }
                _ => return None,
            }
        }
        Some(offer)
    }
}

/// Sets a flag that may be set once.
fn set(flag: &mut bool) -> Option<()> {
    (!std::mem::replace(flag, true)).then_some(())
}

/// 8 to 15, in decimal and without a zero in front.
fn window_bits(text: &[u8]) -> Option<u8> {
    match text {
        [digit @ b'8'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

/// The compressor failed: never, unless memory is out.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a message cannot be compressed")]
pub struct DeflateError;

/// Compresses messages. It takes its memory with the first one.
#[derive(Debug)]
pub struct MessageDeflater {
    stream: Option<Compress>,
    window_bits: u8,
    no_context_takeover: bool,
}

impl MessageDeflater {
    /// One with a window of 2^8 to 2^15 bytes.
    pub fn new(window_bits: u8, no_context_takeover: bool) -> Self {
        // There is no compressor for a window of 2^8. With one of 2^9 it looks back 250 bytes at
        // most (it keeps 262 in hand), which a window of 2^8 holds.
        Self { stream: None, window_bits: window_bits.clamp(9, 15), no_context_takeover }
    }

    /// The next piece of a message; `end` with its last one. `bfinal` ends the DEFLATE stream with
    /// the piece (RFC 7692, section 7.2.3.4).
    pub fn deflate(
        &mut self,
        data: &[u8],
        end: bool,
        bfinal: bool,
    ) -> Result<Vec<u8>, DeflateError> {
        let bits = self.window_bits;
        let stream = self.stream.get_or_insert_with(|| {
            Compress::new_with_window_bits(Compression::default(), false, bits)
        });
        let mut out = Vec::with_capacity(data.len() / 2 + ROOM);
        let flush = if bfinal { FlushCompress::Finish } else { FlushCompress::Sync };
        let mut rest = data;
        loop {
            out.reserve(ROOM);
            let before = stream.total_in();
            let status = stream.compress_vec(rest, &mut out, flush).map_err(|_| DeflateError)?;
            // No more than the rest was read.
            let read = usize::try_from(stream.total_in() - before).unwrap_or(rest.len());
            rest = &rest[read..];
            let has_room = out.len() < out.capacity();
            match status {
                Status::StreamEnd | Status::BufError => break,
                Status::Ok if !bfinal && has_room && rest.is_empty() => break,
                Status::Ok => {}
            }
        }
        if bfinal {
            // The header of an empty block, which ends on a byte.
            out.push(0);
            self.stream = None;
            return Ok(out);
        }
        if !out.ends_with(&TAIL) {
            // A flush with nothing to flush.
            out.push(0);
            out.extend_from_slice(&TAIL);
        }
        if end {
            out.truncate(out.len() - TAIL.len());
            if self.no_context_takeover {
                self.stream = None;
            }
        }
        Ok(out)
    }
}

/// Why data cannot be decompressed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum InflateError {
    /// It is no DEFLATE stream.
    #[error("the compressed data is corrupt")]
    Corrupt,
    /// What comes out is longer than is allowed.
    #[error("the decompressed data is too long")]
    TooLong,
}

/// Decompresses messages, whatever window they were compressed with. It takes its memory with the
/// first one.
#[derive(Debug, Default)]
pub struct MessageInflater {
    stream: Option<Decompress>,
    /// Whether something of the message is in the stream since that began.
    begun: bool,
}

impl MessageInflater {
    /// Appends the next piece of a message to `out`, which holds its first ones; `end` with the
    /// last piece. `limit` is for the message. After an error nothing of its state is left.
    pub fn inflate(
        &mut self,
        data: &[u8],
        end: bool,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), InflateError> {
        let mut stream = self.stream.take().unwrap_or_else(|| Decompress::new(false));
        let mut begun = std::mem::take(&mut self.begun);
        if !data.is_empty() {
            begun = inflate_all(&mut stream, data, out, limit)?;
        }
        // Where a stream ended with the message, the next message begins another.
        if end && begun {
            inflate_all(&mut stream, &TAIL, out, limit)?;
        }
        self.begun = begun && !end;
        self.stream = Some(stream);
        Ok(())
    }
}

/// Decompresses all of `data`. `false` when a stream ended with it.
fn inflate_all(
    stream: &mut Decompress,
    data: &[u8],
    out: &mut Vec<u8>,
    limit: usize,
) -> Result<bool, InflateError> {
    let mut rest = data;
    loop {
        let left = limit.saturating_sub(out.len());
        // One byte more than is allowed tells that there is more.
        out.reserve((rest.len() * 2).clamp(ROOM, BLOCK).min(left + 1));
        let before = stream.total_in();
        let length = out.len();
        let status = stream
            .decompress_vec(rest, out, FlushDecompress::Sync)
            .map_err(|_| InflateError::Corrupt)?;
        if out.len() > limit {
            return Err(InflateError::TooLong);
        }
        let read = usize::try_from(stream.total_in() - before).unwrap_or(rest.len());
        rest = &rest[read..];
        if status == Status::StreamEnd {
            stream.reset(false);
            if rest.is_empty() {
                return Ok(false);
            }
            continue;
        }
        let has_room = out.len() < out.capacity();
        if rest.is_empty() && has_room {
            return Ok(true);
        }
        if read == 0 && out.len() == length && has_room {
            return Err(InflateError::Corrupt);
        }
    }
}

/// What a flush ends with, and a message leaves out (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
/// The least room for output.
const ROOM: usize = 64;
/// The most room for output at a time.
const BLOCK: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn inflate(inflater: &mut MessageInflater, data: &[u8]) -> Result<Vec<u8>, InflateError> {
        let mut out = Vec::new();
        inflater.inflate(data, true, &mut out, 1 << 20).map(|()| out)
    }

    #[test]
    fn the_examples_of_the_rfc() {
        let mut inflater = MessageInflater::default();
        let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
        assert_eq!(inflate(&mut inflater, hello).unwrap(), b"Hello");
        // With the window of the last message; then without compression; then with BFINAL.
        assert_eq!(inflate(&mut inflater, b"\xf2\x00\x11\x00\x00").unwrap(), b"Hello");
        assert_eq!(inflate(&mut inflater, b"\x00\x05\x00\xfa\xffHello\x00").unwrap(), b"Hello");
        let last = b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00";
        assert_eq!(inflate(&mut inflater, last).unwrap(), b"Hello");
        assert_eq!(inflate(&mut inflater, hello).unwrap(), b"Hello");
        assert_eq!(inflate(&mut inflater, b"\x00").unwrap(), b"");
        // The last block without the padding behind it; nothing at all.
        assert_eq!(inflate(&mut inflater, b"\xf3\x48\xcd\xc9\xc9\x07\x00").unwrap(), b"Hello");
        assert_eq!(inflate(&mut inflater, b"").unwrap(), b"");
        assert_eq!(inflate(&mut inflater, hello).unwrap(), b"Hello");
        assert_eq!(inflate(&mut inflater, b"\xff\xff"), Err(InflateError::Corrupt));
        assert_eq!(inflate(&mut inflater, hello).unwrap(), b"Hello");
    }

    #[test]
    fn a_stream_may_end_within_a_message() {
        let mut deflater = MessageDeflater::new(15, false);
        let mut inflater = MessageInflater::default();
        for _ in 0..2 {
            let mut data = deflater.deflate(b"a", false, false).unwrap();
            data.extend(deflater.deflate(b"", true, true).unwrap());
            let mut out = Vec::new();
            inflater.inflate(&data, false, &mut out, 1).unwrap();
            inflater.inflate(b"", true, &mut out, 1).unwrap();
            assert_eq!(out, b"a");
        }
    }

    #[test]
    fn an_empty_message_is_one_byte() {
        let mut deflater = MessageDeflater::new(15, false);
        for _ in 0..3 {
            assert_eq!(deflater.deflate(b"", true, false).unwrap(), [0]);
        }
    }

    #[test]
    fn offers() {
        let parse = |text: &str| {
            let parameters = text.split(';').filter(|part| !part.is_empty()).map(|part| match part
                .split_once('=')
            {
                Some((name, value)) => (name.as_bytes(), Some(value.as_bytes())),
                None => (part.as_bytes(), None),
            });
            DeflateOffer::parse(parameters)
        };
        assert_eq!(parse(""), Some(DeflateOffer::default()));
        let all = "server_no_context_takeover;client_no_context_takeover;\
                   server_max_window_bits=8;client_max_window_bits=15";
        assert_eq!(
            parse(all),
            Some(DeflateOffer {
                server_no_context_takeover: true,
                client_no_context_takeover: true,
                server_max_window_bits: Some(8),
                client_max_window_bits: Some(Some(15)),
            })
        );
        let bare = DeflateOffer { client_max_window_bits: Some(None), ..DeflateOffer::default() };
        assert_eq!(parse("client_max_window_bits"), Some(bare));
        for declined in [
            "other",
            "server_no_context_takeover=1",
            "server_no_context_takeover;server_no_context_takeover",
            "server_max_window_bits",
            "server_max_window_bits=7",
            "server_max_window_bits=08",
            "server_max_window_bits=16",
            "client_max_window_bits=x",
            "client_max_window_bits;client_max_window_bits",
        ] {
            assert_eq!(parse(declined), None, "{declined}");
        }
    }

    proptest! {
        #[test]
        fn messages_come_back(
            messages in proptest::collection::vec(
                (proptest::collection::vec(0_u8..4, 0..3000), any::<bool>(), 0_usize..3000), 1..5),
            bits in 8_u8..=15,
            no_context_takeover in any::<bool>(),
        ) {
            let mut deflater = MessageDeflater::new(bits, no_context_takeover);
            let mut inflater = MessageInflater::default();
            let mut narrow = Decompress::new_with_window_bits(false, bits.max(9));
            for (message, bfinal, cut) in messages {
                let (first, second) = message.split_at(cut.min(message.len()));
                let mut data = deflater.deflate(first, false, false).unwrap();
                data.extend(deflater.deflate(second, true, bfinal).unwrap());
                prop_assert_eq!(inflate(&mut inflater, &data), Ok(message.clone()));
                // A peer whose window has that size reads it too.
                if bfinal {
                    narrow.reset(false);
                } else {
                    data.extend_from_slice(&TAIL);
                    let mut out = Vec::with_capacity(message.len() + 1);
                    narrow.decompress_vec(&data, &mut out, FlushDecompress::Sync).unwrap();
                    prop_assert_eq!(out, message);
                }
            }
        }

        #[test]
        fn any_bytes_end_within_the_limit(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut out = Vec::new();
            let result = MessageInflater::default().inflate(&data, true, &mut out, 100);
            prop_assert!(result.is_err() || out.len() <= 100);
        }
    }
}
