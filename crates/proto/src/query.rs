//! Query strings and urlencoded forms.

use crate::percent;

/// The pairs of a query string, in order, names and values decoded to bytes.
///
/// This is Python's `parse_qsl(…, keep_blank_values=True)` over latin-1: only
/// `&` separates, empty parts are skipped, a part without `=` has an empty
/// value, `+` is a space, and an escape that is none stays as it is. A
/// character is a byte throughout, so nothing is ever replaced.
pub fn parse_query(query: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    query
        .split(|&byte| byte == b'&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = match part.iter().position(|&byte| byte == b'=') {
                Some(equals) => (&part[..equals], &part[equals + 1..]),
                None => (part, &part[part.len()..]),
            };
            (decode(name), decode(value))
        })
        .collect()
}

fn decode(part: &[u8]) -> Vec<u8> {
    if !part.contains(&b'+') {
        return percent::decode(part).into_owned();
    }
    // Before the escapes, so that "%2B" stays a plus sign.
    let mut spaced = part.to_vec();
    for byte in &mut spaced {
        if *byte == b'+' {
            *byte = b' ';
        }
    }
    percent::decode(&spaced).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(query: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        parse_query(query)
    }

    fn owned(pairs: &[(&[u8], &[u8])]) -> Vec<(Vec<u8>, Vec<u8>)> {
        pairs.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
    }

    #[test]
    fn pairs_keep_their_order_and_repeats() {
        assert_eq!(pairs(b"a=1&b=2&a=3"), owned(&[(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]));
    }

    #[test]
    fn blanks_are_kept_and_empty_parts_are_not() {
        assert_eq!(pairs(b""), owned(&[]));
        assert_eq!(pairs(b"&&"), owned(&[]));
        assert_eq!(
            pairs(b"a&b=&=c&=&"),
            owned(&[(b"a", b""), (b"b", b""), (b"", b"c"), (b"", b"")])
        );
    }

    #[test]
    fn only_the_first_equals_sign_separates() {
        assert_eq!(pairs(b"a=b=c"), owned(&[(b"a", b"b=c")]));
    }

    #[test]
    fn a_semicolon_does_not_separate() {
        assert_eq!(pairs(b"a=1;b=2"), owned(&[(b"a", b"1;b=2")]));
    }

    #[test]
    fn plus_is_a_space_and_an_escaped_plus_is_not() {
        assert_eq!(pairs(b"a+b=c+d%2B"), owned(&[(b"a b", b"c d+")]));
        assert_eq!(pairs(b"%+41=%4+1"), owned(&[(b"% 41", b"%4 1")]));
    }

    #[test]
    fn values_are_bytes() {
        assert_eq!(
            pairs(b"%C3%A9=\xe9%E9&x=%zz"),
            owned(&[(b"\xc3\xa9", b"\xe9\xe9"), (b"x", b"%zz")])
        );
    }

    proptest! {
        #[test]
        fn quoted_pairs_come_back(
            pairs in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..8), prop::collection::vec(any::<u8>(), 0..8)),
                0..6,
            ),
        ) {
            let query = pairs
                .iter()
                .map(|(name, value)| format!("{}={}", percent::quote(name), percent::quote(value)))
                .collect::<Vec<_>>()
                .join("&");
            prop_assert_eq!(parse_query(query.as_bytes()), pairs);
        }

        #[test]
        fn decoded_is_never_longer(query in prop::collection::vec(any::<u8>(), 0..64)) {
            let decoded: usize = parse_query(&query).iter().map(|(n, v)| n.len() + v.len()).sum();
            prop_assert!(decoded <= query.len());
        }
    }
}
