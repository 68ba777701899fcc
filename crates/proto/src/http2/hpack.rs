//! Header blocks (RFC 7541) without the dynamic table.
//!
//! Every field is an index into the static table or a literal "without indexing", so a block
//! changes no state of the reader's, and one that is never sent is never missed. Names and values
//! are any bytes.

/// Appends a header block of these fields, in order; no name and no value is looked into.
pub fn encode_block<N, V>(out: &mut Vec<u8>, fields: impl IntoIterator<Item = (N, V)>)
where
    N: AsRef<[u8]>,
    V: AsRef<[u8]>,
{
    for (name, value) in fields {
        encode_field(out, name.as_ref(), value.as_ref());
    }
}

/// Appends one field.
pub fn encode_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    if name == b":status"
        && let Some(at) = STATUSES.iter().position(|status| *status == value)
    {
        // The statuses are the static table's entries 8 to 14.
        return integer(out, 0x80, 7, at + 8);
    }
    if let Some(&(index, _)) = STATIC_NAMES.iter().find(|(_, known)| *known == name) {
        integer(out, 0, 4, index);
    } else {
        out.push(0);
        string(out, name);
    }
    string(out, value);
}

/// A string literal, not compressed (RFC 7541 section 5.2).
fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    integer(out, 0, 7, bytes.len());
    out.extend_from_slice(bytes);
}

/// An integer in the low `prefix` bits of a byte and what follows (RFC 7541 section 5.1).
fn integer(out: &mut Vec<u8>, high: u8, prefix: u32, value: usize) {
    let limit = (1_usize << prefix) - 1;
    // Both are below 256: `limit` has at most 7 bits, and a digit is cut to 7.
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

const STATUSES: [&[u8]; 7] = [b"200", b"204", b"206", b"304", b"400", b"404", b"500"];

/// Names of the static table (RFC 7541 appendix A) that responses and promises have.
const STATIC_NAMES: [(usize, &[u8]); 28] = [
    (1, b":authority"),
    (2, b":method"),
    (4, b":path"),
    (6, b":scheme"),
    (8, b":status"),
    (16, b"accept-encoding"),
    (18, b"accept-ranges"),
    (20, b"access-control-allow-origin"),
    (21, b"age"),
    (22, b"allow"),
    (24, b"cache-control"),
    (25, b"content-disposition"),
    (26, b"content-encoding"),
    (27, b"content-language"),
    (28, b"content-length"),
    (29, b"content-location"),
    (30, b"content-range"),
    (31, b"content-type"),
    (33, b"date"),
    (34, b"etag"),
    (36, b"expires"),
    (44, b"last-modified"),
    (45, b"link"),
    (46, b"location"),
    (53, b"retry-after"),
    (54, b"server"),
    (55, b"set-cookie"),
    (59, b"vary"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        encode_block(&mut out, fields.iter().copied());
        out
    }

    #[test]
    fn the_static_table_shortens() {
        assert_eq!(block(&[(b":status", b"200")]), [0x88]);
        assert_eq!(block(&[(b":status", b"500")]), [0x8e]);
        assert_eq!(block(&[(b":status", b"203")]), b"\x08\x03203");
        assert_eq!(block(&[(b"server", b"a")]), b"\x0f\x27\x01a");
        assert_eq!(block(&[(b"Server", b"a")]), b"\0\x06Server\x01a");
    }

    #[test]
    fn long_strings_have_long_lengths() {
        // RFC 7541, appendix C.1.2: 1337 in five bits is 31, 154, 10.
        let mut out = Vec::new();
        integer(&mut out, 0, 5, 1337);
        assert_eq!(out, [31, 154, 10]);
    }

    /// A reader of what this writes.
    fn decode(mut bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut fields = Vec::new();
        while let Some(&first) = bytes.first() {
            if first & 0x80 != 0 {
                let index = read_integer(&mut bytes, 7);
                fields.push((b":status".to_vec(), STATUSES[index - 8].to_vec()));
                continue;
            }
            let index = read_integer(&mut bytes, 4);
            let name = match STATIC_NAMES.iter().find(|(known, _)| *known == index) {
                Some((_, name)) => name.to_vec(),
                None => read_string(&mut bytes),
            };
            fields.push((name, read_string(&mut bytes)));
        }
        fields
    }

    fn read_integer(bytes: &mut &[u8], prefix: u32) -> usize {
        let limit = (1_usize << prefix) - 1;
        let mut next = || {
            let (first, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            usize::from(*first)
        };
        let mut value = next() & limit;
        let mut shift = 0;
        while value >= limit {
            let byte = next();
            value += (byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }

    fn read_string(bytes: &mut &[u8]) -> Vec<u8> {
        assert_eq!(bytes[0] & 0x80, 0);
        let length = read_integer(bytes, 7);
        let (string, rest) = bytes.split_at(length);
        *bytes = rest;
        string.to_vec()
    }

    proptest! {
        #[test]
        fn a_block_is_read_as_it_was_written(
            fields in prop::collection::vec(
                (
                    prop_oneof![
                        prop::sample::select(STATIC_NAMES.map(|(_, name)| name.to_vec()).to_vec()),
                        prop::collection::vec(any::<u8>(), 0..300),
                    ],
                    prop_oneof![
                        prop::sample::select(STATUSES.map(<[u8]>::to_vec).to_vec()),
                        prop::collection::vec(any::<u8>(), 0..300),
                    ],
                ),
                0..8,
            )
        ) {
            let mut out = Vec::new();
            encode_block(&mut out, fields.iter().map(|(name, value)| (name, value)));
            prop_assert_eq!(decode(&out), fields);
        }
    }
}
