//! Integers and strings that begin within a byte (RFC 7541, section 5), as HPACK and QPACK write
//! them.

use thiserror::Error;

use crate::huffman;

/// Why an integer or a string cannot be read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// The bytes end within it.
    #[error("it is cut short")]
    Truncated,
    /// A number does not fit 32 bits.
    #[error("a number is too large")]
    TooLarge,
    /// A string is not in the Huffman code.
    #[error("a string is not in the Huffman code")]
    BadHuffman,
}

/// Takes an integer off the low `prefix` bits of the first byte and what follows.
pub(crate) fn integer(rest: &mut &[u8], prefix: u32) -> Result<usize, Unreadable> {
    let limit = (1_u64 << prefix) - 1;
    let mut value = u64::from(next(rest)?) & limit;
    if value == limit {
        let mut shift = 0;
        loop {
            let byte = next(rest)?;
            value += u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
            shift += 7;
            if shift > 28 {
                return Err(Unreadable::TooLarge);
            }
        }
    }
    let value = u32::try_from(value).map_err(|_| Unreadable::TooLarge)?;
    usize::try_from(value).map_err(|_| Unreadable::TooLarge)
}

/// Takes a string off, decoded, and appends it to `out`. The bit before its length, which has
/// `prefix` bits, says whether it is in the Huffman code.
pub(crate) fn string(rest: &mut &[u8], prefix: u32, out: &mut Vec<u8>) -> Result<(), Unreadable> {
    let is_coded = rest.first().ok_or(Unreadable::Truncated)? & (1 << prefix) != 0;
    let length = integer(rest, prefix)?;
    let (string, after) = rest.split_at_checked(length).ok_or(Unreadable::Truncated)?;
    *rest = after;
    if is_coded {
        return huffman::decode(string, out).ok_or(Unreadable::BadHuffman);
    }
    out.extend_from_slice(string);
    Ok(())
}

/// Appends an integer in the low `prefix` bits of a byte and what follows; `high` are the bits
/// before it.
pub(crate) fn encode_integer(out: &mut Vec<u8>, high: u8, prefix: u32, value: usize) {
    let limit = (1_usize << prefix) - 1;
    // Both are below 256: `limit` has at most 8 bits, and a digit is cut to 7.
    let byte = |value: usize| u8::try_from(value).unwrap_or(u8::MAX);
    if value < limit {
        return out.push(high | byte(value));
    }
    out.push(high | byte(limit));
    let mut rest = value - limit;
    while rest >= 0x80 {
        out.push(0x80 | byte(rest & 0x7f));
        rest >>= 7;
    }
    out.push(byte(rest));
}

/// Appends a string, not in the Huffman code.
pub(crate) fn encode_string(out: &mut Vec<u8>, high: u8, prefix: u32, bytes: &[u8]) {
    encode_integer(out, high, prefix, bytes.len());
    out.extend_from_slice(bytes);
}

fn next(rest: &mut &[u8]) -> Result<u8, Unreadable> {
    let (first, after) = rest.split_first().ok_or(Unreadable::Truncated)?;
    *rest = after;
    Ok(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_of_rfc_7541() {
        // Appendices C.1.1 to C.1.3.
        for (value, prefix, bytes) in
            [(10, 5, &b"\x0a"[..]), (1337, 5, b"\x1f\x9a\x0a"), (42, 8, b"\x2a")]
        {
            let mut out = Vec::new();
            encode_integer(&mut out, 0, prefix, value);
            assert_eq!(out, bytes);
            assert_eq!(integer(&mut &bytes[..], prefix), Ok(value));
        }
    }

    #[test]
    fn integers_that_cannot_be_read() {
        assert_eq!(integer(&mut &b""[..], 5), Err(Unreadable::Truncated));
        assert_eq!(integer(&mut &b"\x1f\x9a"[..], 5), Err(Unreadable::Truncated));
        let large = b"\x1f\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(integer(&mut &large[..], 5), Err(Unreadable::TooLarge));
    }

    proptest! {
        #[test]
        fn an_integer_comes_back(value: u32, prefix in 1_u32..=8) {
            let mut out = Vec::new();
            encode_integer(&mut out, 0, prefix, value as usize);
            let mut rest = &out[..];
            prop_assert_eq!(integer(&mut rest, prefix), Ok(value as usize));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn a_string_comes_back(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            prefix in 3_u32..=7,
        ) {
            let (mut out, mut back) = (Vec::new(), Vec::new());
            encode_string(&mut out, 0, prefix, &bytes);
            prop_assert_eq!(string(&mut &out[..], prefix, &mut back), Ok(()));
            prop_assert_eq!(back, bytes);
        }
    }
}
