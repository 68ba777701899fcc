//! The Huffman code of string literals (RFC 7541 appendix B).
//!
//! The code is canonical: codes of one length are consecutive numbers, in the order of their
//! symbols, and follow those that are shorter. So the lengths say all of it.
#![expect(clippy::cast_possible_truncation, reason = "symbols and lengths are at most 256")]

/// Appends what a string stands for. `None` when it is not in the code: it holds the end of
/// strings, or its padding is longer than 7 bits or not all ones (RFC 7541 section 5.2).
pub(crate) fn decode(coded: &[u8], out: &mut Vec<u8>) -> Option<()> {
    // The bits that were read and not decoded, in the low `count` bits.
    let mut bits = 0_u64;
    let mut count = 0;
    let mut rest = coded.iter();
    loop {
        while count <= u64::BITS - 8
            && let Some(&byte) = rest.next()
        {
            bits = bits << 8 | u64::from(byte);
            count += 8;
        }
        // Ones stand behind the end, as padding does. A code has at most 30 bits.
        let window = if count >= WINDOW {
            bits >> (count - WINDOW)
        } else {
            (bits << (WINDOW - count)) | ((1 << (WINDOW - count)) - 1)
        };
        let window = (window & ((1 << WINDOW) - 1)) as u32;
        let (symbol, length) = match SHORT[(window >> (WINDOW - 8)) as usize] {
            (_, 0) => long(window)?,
            (symbol, length) => (u16::from(symbol), u32::from(length)),
        };
        if length > count {
            // What is left is no whole code. Padding is the start of the longest one, all ones.
            let padding = (1_u64 << count) - 1;
            return (count < 8 && bits & padding == padding).then_some(());
        }
        count -= length;
        // Only the end of strings is no byte.
        out.push(u8::try_from(symbol).ok()?);
    }
}

/// The symbol of a code of more than 8 bits, and its length.
fn long(window: u32) -> Option<(u16, u32)> {
    let mut length = 9;
    while length <= LONGEST {
        let code = window >> (WINDOW - length as u32);
        let Codes { first, count, from } = BY_LENGTH[length];
        if code < first + count {
            // A shorter code would have been found before, so this is at least `first`.
            let symbol = SORTED[from as usize + (code - first) as usize];
            return Some((symbol, length as u32));
        }
        length += 1;
    }
    None
}

/// The codes of one length.
#[derive(Clone, Copy)]
struct Codes {
    /// The smallest of them.
    first: u32,
    /// How many there are.
    count: u32,
    /// Where their symbols begin in [`SORTED`].
    from: u32,
}

const LONGEST: usize = 30;
const WINDOW: u32 = 30;

/// The symbols by the length of their codes, then by their number.
const SORTED: [u16; 257] = {
    let mut sorted = [0; 257];
    let mut at = 0;
    let mut length = 1;
    while length <= LONGEST {
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                sorted[at] = symbol as u16;
                at += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    sorted
};

const BY_LENGTH: [Codes; LONGEST + 1] = {
    let mut table = [Codes { first: 0, count: 0, from: 0 }; LONGEST + 1];
    let mut length = 1;
    while length <= LONGEST {
        let before = table[length - 1];
        let mut count = 0;
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                count += 1;
            }
            symbol += 1;
        }
        table[length] = Codes {
            first: (before.first + before.count) << 1,
            count,
            from: before.from + before.count,
        };
        length += 1;
    }
    table
};

/// For each 8 bits the symbol whose code they begin with, and its length; 0 where it is longer.
const SHORT: [(u8, u8); 256] = {
    let mut table = [(0, 0); 256];
    let mut length = 1;
    while length <= 8 {
        let Codes { first, count, from } = BY_LENGTH[length];
        let mut number = 0;
        while number < count {
            let symbol = SORTED[(from + number) as usize] as u8;
            let spare = 8 - length as u32;
            let start = (first + number) << spare;
            let mut offset = 0;
            while offset < 1 << spare {
                table[(start + offset) as usize] = (symbol, length as u8);
                offset += 1;
            }
            number += 1;
        }
        length += 1;
    }
    table
};

/// How many bits the code of each byte has, and of the end of strings behind them.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6,
    6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22,
    21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20,
    22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
    21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22,
    22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write;

    /// The code of a string, padded to whole bytes.
    pub(crate) fn encode(bytes: &[u8]) -> Vec<u8> {
        let mut bits = String::new();
        for byte in bytes {
            let length = usize::from(LENGTHS[usize::from(*byte)]);
            let Codes { first, from, .. } = BY_LENGTH[length];
            let same = SORTED[from as usize..].iter();
            let number = same.take_while(|symbol| **symbol != u16::from(*byte)).count();
            write!(bits, "{:0length$b}", first as usize + number).unwrap();
        }
        while !bits.len().is_multiple_of(8) {
            bits.push('1');
        }
        let bytes = bits.as_bytes().chunks(8);
        bytes.map(|bits| u8::from_str_radix(str::from_utf8(bits).unwrap(), 2).unwrap()).collect()
    }

    fn decoded(coded: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        decode(coded, &mut out).map(|()| out)
    }

    #[test]
    fn strings_of_rfc_7541() {
        // Appendices C.4.1 and C.6.3.
        let host = b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
        assert_eq!(decoded(host).unwrap(), b"www.example.com");
        let cookie =
            b"\x94\xe7\x82\x1d\xd7\xf2\xe6\xc7\xb3\x35\xdf\xdf\xcd\x5b\x39\x60\xd5\xaf\x27\
                       \x08\x7f\x36\x72\xc1\xab\x27\x0f\xb5\x29\x1f\x95\x87\x31\x60\x65\xc0\x03\xed\
                       \x4e\xe5\xb1\x06\x3d\x50\x07";
        let text = b"foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
        assert_eq!(decoded(cookie).unwrap(), text);
        assert_eq!(encode(text), cookie);
    }

    #[test]
    fn codes_of_rfc_7541() {
        // Appendix B: NUL has 13 bits, `\` has 19, 249 has 28, 22 has 30.
        assert_eq!(encode(&[0]), b"\xff\xc7");
        assert_eq!(encode(&[92]), b"\xff\xfe\x1f");
        assert_eq!(encode(&[249]), b"\xff\xff\xff\xef");
        assert_eq!(encode(&[22]), b"\xff\xff\xff\xfb");
    }

    #[test]
    fn padding_is_short_and_all_ones() {
        // `a` is 00011.
        assert_eq!(decoded(b"\x1f").unwrap(), b"a");
        assert_eq!(decoded(b"\x1e"), None);
        assert_eq!(decoded(b"\x1f\xff"), None);
        assert_eq!(decoded(b"\xff"), None);
        assert_eq!(decoded(b"").unwrap(), b"");
    }

    #[test]
    fn a_string_has_no_end_in_it() {
        // 30 ones, and two of padding.
        assert_eq!(decoded(b"\xff\xff\xff\xff"), None);
        assert_eq!(decoded(b"\x1f\xff\xff\xff\xff\xff"), None);
    }

    proptest! {
        #[test]
        fn a_string_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(decoded(&encode(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Some(text) = decoded(&bytes) {
                prop_assert_eq!(encode(&text), bytes);
            }
        }
    }
}
