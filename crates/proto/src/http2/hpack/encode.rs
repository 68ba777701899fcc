//! Header blocks that are written, without the dynamic table.
//!
//! Every field is an index into the static table or a literal "without indexing", so a block
//! changes no state of the reader's, and one that is never sent is never missed. Names and values
//! are any bytes.

use super::table::STATIC;
use crate::prefixed::{encode_integer, encode_string};

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
    let named = STATIC.iter().position(|(known, _)| known.as_bytes() == name);
    // Of the fields that are there with their value, a response has the status.
    if name == b":status"
        && let Some(at) =
            STATIC.iter().position(|(n, v)| (n.as_bytes(), v.as_bytes()) == (name, value))
    {
        return encode_integer(out, 0x80, 7, at + 1);
    }
    if let Some(at) = named {
        encode_integer(out, 0, 4, at + 1);
    } else {
        out.push(0);
        encode_string(out, 0, 7, name);
    }
    encode_string(out, 0, 7, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http2::Decoder;
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
        encode_integer(&mut out, 0, 5, 1337);
        assert_eq!(out, [31, 154, 10]);
    }

    proptest! {
        #[test]
        fn a_block_is_read_as_it_was_written(
            fields in prop::collection::vec(
                (
                    prop_oneof![
                        prop::sample::select(STATIC.map(|(name, _)| name.as_bytes().to_vec()).to_vec()),
                        prop::collection::vec(any::<u8>(), 0..300),
                    ],
                    prop_oneof![
                        prop::sample::select(STATIC.map(|(_, value)| value.as_bytes().to_vec()).to_vec()),
                        prop::collection::vec(any::<u8>(), 0..300),
                    ],
                ),
                0..8,
            )
        ) {
            let mut out = Vec::new();
            encode_block(&mut out, fields.iter().map(|(name, value)| (name, value)));
            let read = Decoder::new(0).decode(&out, usize::MAX).unwrap().fields;
            let read: Vec<_> =
                read.iter().map(|field| (field.name.to_vec(), field.value.to_vec())).collect();
            prop_assert_eq!(read, fields);
        }
    }
}
