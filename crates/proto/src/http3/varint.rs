//! Integers of variable length (RFC 9000, section 16).

/// The largest integer that can be written.
pub const MAX: u64 = (1 << 62) - 1;

/// Reads an integer from the start of `bytes`, and says how many of them it has; `None` while it
/// is not complete. One in more bytes than it needs is taken as it is.
pub fn decode(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let length = 1 << (first >> 6);
    let rest = bytes.get(1..length)?;
    let value =
        rest.iter().fold(u64::from(first & 0x3f), |value, &byte| value << 8 | u64::from(byte));
    Some((value, length))
}

/// Takes an integer off the start of `bytes`; `None`, and nothing taken, while it is not complete.
pub fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (value, length) = decode(bytes)?;
    *bytes = &bytes[length..];
    Some(value)
}

/// Appends an integer of at most [`MAX`], in as few bytes as there can be.
pub fn encode(value: u64, out: &mut Vec<u8>) {
    debug_assert!(value <= MAX, "{value} has more than 62 bits");
    let bytes = value.to_be_bytes();
    let (length, marks) = match value {
        0..0x40 => (1, 0x00),
        0x40..0x4000 => (2, 0x40),
        0x4000..0x4000_0000 => (4, 0x80),
        _ => (8, 0xc0),
    };
    let start = out.len();
    out.extend_from_slice(&bytes[bytes.len() - length..]);
    out[start] = out[start] & 0x3f | marks;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        encode(value, &mut out);
        out
    }

    #[test]
    fn integers_of_rfc_9000() {
        // Appendix A.1.
        for (value, bytes) in [
            (151_288_809_941_952_652, &b"\xc2\x19\x7c\x5e\xff\x14\xe8\x8c"[..]),
            (494_878_333, b"\x9d\x7f\x3e\x7d"),
            (15_293, b"\x7b\xbd"),
            (37, b"\x25"),
        ] {
            assert_eq!(decode(bytes), Some((value, bytes.len())));
            assert_eq!(encoded(value), bytes);
        }
        assert_eq!(decode(b"\x40\x25"), Some((37, 2)));
    }

    #[test]
    fn what_is_not_complete_waits() {
        assert_eq!(decode(b""), None);
        assert_eq!(decode(b"\x9d\x7f\x3e"), None);
        let mut rest = &b"\x7b"[..];
        assert_eq!(take(&mut rest), None);
        assert_eq!(rest, b"\x7b");
    }

    proptest! {
        #[test]
        fn an_integer_comes_back(value in 0..=MAX) {
            let bytes = encoded(value);
            prop_assert_eq!(decode(&bytes), Some((value, bytes.len())));
        }
    }
}
