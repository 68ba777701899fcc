//! Field sections (RFC 9204), both ways, without a dynamic table.
//!
//! A side that allows no dynamic table (`SETTINGS_QPACK_MAX_TABLE_CAPACITY` is 0) never waits for
//! another stream before it can read a section, and what is written here needs none either. So a
//! section reads the same whatever came before it, and a handler can write any.

use bytes::{Buf, Bytes, BytesMut};

use super::{
    error::{Code, ConnectionError},
    static_table::{TABLE, find},
};
use crate::{
    headers::{Field, HeaderList},
    prefixed::{self, Unreadable},
};

/// What a field section holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// The fields, in order; none when they are larger than is allowed.
    pub fields: HeaderList,
    /// Their size: the names, the values, and 32 bytes for each field (RFC 9114, section 4.2.2).
    pub size: usize,
}

/// Reads a field section. Of one whose fields are larger than `max_size` only the size is found.
pub fn decode_section(mut rest: &[u8], max_size: usize) -> Result<Section, ConnectionError> {
    let rest = &mut rest;
    // What the section needs of the dynamic table, and from where in it: nothing.
    let required = prefixed::integer(rest, 8).map_err(failed)?;
    let is_negative = rest.first().is_some_and(|byte| byte & 0x80 != 0);
    prefixed::integer(rest, 7).map_err(failed)?;
    if required != 0 || is_negative {
        return Err(wrong("a field section needs a dynamic table"));
    }
    let mut section = Section::default();
    let mut literal = Vec::new();
    while !rest.is_empty() {
        let field = field(rest, &mut literal)?;
        section.size =
            section.size.saturating_add(field.name.len() + field.value.len() + FIELD_OVERHEAD);
        if section.size <= max_size {
            section.fields.push(field.name, field.value);
        } else {
            section.fields = HeaderList::new();
        }
    }
    Ok(section)
}

/// Takes a field off the start of `rest`. `literal` is room for what it spells out.
fn field(rest: &mut &[u8], literal: &mut Vec<u8>) -> Result<Field, ConnectionError> {
    let first = rest.first().copied().unwrap_or_default();
    literal.clear();
    let name = if first & 0x80 != 0 {
        let (name, value) = indexed(rest, first & 0x40 != 0, 6)?;
        return Ok(Field { name, value });
    } else if first & 0x40 != 0 {
        Some(indexed(rest, first & 0x10 != 0, 4)?.0)
    } else if first & 0x20 != 0 {
        prefixed::string(rest, 3, literal).map_err(failed)?;
        None
    } else {
        return Err(wrong("a field section refers to a dynamic table"));
    };
    let name_length = literal.len();
    prefixed::string(rest, 7, literal).map_err(failed)?;
    let bytes = Bytes::copy_from_slice(literal);
    let own_name = bytes.slice(..name_length);
    Ok(Field { name: name.unwrap_or(own_name), value: bytes.slice(name_length..) })
}

/// The field of the static table with the index that comes next.
fn indexed(
    rest: &mut &[u8],
    is_static: bool,
    prefix: u32,
) -> Result<(Bytes, Bytes), ConnectionError> {
    let index = prefixed::integer(rest, prefix).map_err(failed)?;
    if !is_static {
        return Err(wrong("a field section refers to a dynamic table"));
    }
    let Some((name, value)) = TABLE.get(index) else {
        return Err(wrong("a field section refers to a field that the static table lacks"));
    };
    Ok((Bytes::from_static(name), Bytes::from_static(value)))
}

/// Appends a field section of these fields, in order; no name and no value is looked into.
pub fn encode_section<N, V>(out: &mut Vec<u8>, fields: impl IntoIterator<Item = (N, V)>)
where
    N: AsRef<[u8]>,
    V: AsRef<[u8]>,
{
    // It needs nothing of the dynamic table.
    out.extend_from_slice(&[0, 0]);
    for (name, value) in fields {
        let (name, value) = (name.as_ref(), value.as_ref());
        match find(name, value) {
            Some((index, true)) => {
                prefixed::encode_integer(out, 0xc0, 6, index);
                continue;
            }
            Some((index, false)) => prefixed::encode_integer(out, 0x50, 4, index),
            None => prefixed::encode_string(out, 0x20, 3, name),
        }
        prefixed::encode_string(out, 0, 7, value);
    }
}

/// Reads the instructions of the peer's encoder (RFC 9204, section 4.3), which has no table to
/// change, and takes them off the buffer.
pub fn read_encoder_stream(buf: &mut BytesMut) -> Result<(), ConnectionError> {
    let refused = |reason| ConnectionError::new(Code::QPACK_ENCODER_STREAM_ERROR, reason);
    while let Some(&first) = buf.first() {
        if first & 0xe0 != 0x20 {
            return Err(refused("an entry for a dynamic table that is not allowed"));
        }
        let mut rest = &buf[..];
        match prefixed::integer(&mut rest, 5) {
            Ok(0) => buf.advance(buf.len() - rest.len()),
            Ok(_) | Err(Unreadable::TooLarge | Unreadable::BadHuffman) => {
                return Err(refused("a dynamic table larger than is allowed"));
            }
            Err(Unreadable::Truncated) => break,
        }
    }
    Ok(())
}

/// Reads the instructions of the peer's decoder (RFC 9204, section 4.4), which was sent no entry of
/// a dynamic table, and takes them off the buffer.
pub fn read_decoder_stream(buf: &mut BytesMut) -> Result<(), ConnectionError> {
    let refused = |reason| ConnectionError::new(Code::QPACK_DECODER_STREAM_ERROR, reason);
    while let Some(&first) = buf.first() {
        // The cancellation of a stream needs no answer.
        if first & 0xc0 != 0x40 {
            return Err(refused("an acknowledgement of an entry that was not sent"));
        }
        let mut rest = &buf[..];
        match prefixed::integer(&mut rest, 6) {
            Ok(_stream) => buf.advance(buf.len() - rest.len()),
            Err(Unreadable::TooLarge | Unreadable::BadHuffman) => {
                return Err(refused("the cancellation of a stream that cannot be"));
            }
            Err(Unreadable::Truncated) => break,
        }
    }
    Ok(())
}

fn failed(error: Unreadable) -> ConnectionError {
    wrong(match error {
        Unreadable::Truncated => "a field section ends within a field",
        Unreadable::TooLarge => "a number in a field section is too large",
        Unreadable::BadHuffman => "a string in a field section is not in the Huffman code",
    })
}

fn wrong(reason: &'static str) -> ConnectionError {
    ConnectionError::new(Code::QPACK_DECOMPRESSION_FAILED, reason)
}

const FIELD_OVERHEAD: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Pair = (Vec<u8>, Vec<u8>);

    fn decoded(bytes: &[u8]) -> Vec<Pair> {
        let section = decode_section(bytes, usize::MAX).unwrap();
        section.fields.iter().map(|f| (f.name.to_vec(), f.value.to_vec())).collect()
    }

    fn encoded(fields: &[(&str, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        encode_section(&mut out, fields.iter().copied());
        out
    }

    fn code(bytes: &[u8]) -> Code {
        decode_section(bytes, usize::MAX).unwrap_err().code
    }

    #[test]
    fn a_section_of_rfc_9204() {
        // Appendix B.1.
        let section = b"\x00\x00\x51\x0b/index.html";
        assert_eq!(decoded(section), [(b":path".to_vec(), b"/index.html".to_vec())]);
        assert_eq!(encoded(&[(":path", "/index.html")]), section);
    }

    #[test]
    fn each_way_to_write_a_field() {
        assert_eq!(encoded(&[(":method", "GET")]), b"\0\0\xd1");
        assert_eq!(encoded(&[(":status", "299")]), b"\0\0\x5f\x09\x03299");
        assert_eq!(encoded(&[("x-mine", "1")]), b"\0\0\x26x-mine\x011");
        assert_eq!(encoded(&[("x-frame-options", "deny")]), b"\0\0\xff\x22");
        // In the Huffman code: `custom-key` and `custom-value` as in RFC 7541, appendix C.4.3.
        let section = b"\0\0\x2f\x01\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\
                        \x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf";
        assert_eq!(decoded(section), [(b"custom-key".to_vec(), b"custom-value".to_vec())]);
    }

    #[test]
    fn what_needs_a_dynamic_table_is_refused() {
        for section in [
            // Required: one entry; a base below it.
            &b"\x01\0\xd1"[..],
            b"\0\x80\xd1",
            // An index, a name, and both behind the base.
            b"\0\0\x80",
            b"\0\0\x40\x011",
            b"\0\0\x10",
            b"\0\0\x00\x011",
        ] {
            assert_eq!(code(section), Code::QPACK_DECOMPRESSION_FAILED);
        }
    }

    #[test]
    fn malformed_sections_are_refused() {
        for section in [
            &b""[..],
            b"\0",
            // An index that the table lacks, one too large, a cut string, a wrong code.
            b"\0\0\xff\x24",
            b"\0\0\xff\xff\xff\xff\xff\xff\xff",
            b"\0\0\x51\x0b/index",
            b"\0\0\x51\x81\xff\0",
        ] {
            assert_eq!(code(section), Code::QPACK_DECOMPRESSION_FAILED, "{section:?}");
        }
    }

    #[test]
    fn of_a_section_that_is_too_large_the_size_is_found() {
        let bytes = encoded(&[("a", "1"), ("b", "2")]);
        let section = decode_section(&bytes, 67).unwrap();
        assert_eq!((section.size, section.fields.is_empty()), (68, true));
        assert_eq!(decode_section(&bytes, 68).unwrap().fields.len(), 2);
    }

    #[test]
    fn instructions_for_a_table_that_is_not_there() {
        let encoder = |bytes: &[u8]| read_encoder_stream(&mut bytes.into());
        assert_eq!(encoder(b"\x20\x20"), Ok(()));
        for bytes in [&b"\x21"[..], b"\x3f\x00", b"\xc0\x01", b"\x41a\x01b", b"\x00"] {
            assert_eq!(encoder(bytes).unwrap_err().code, Code::QPACK_ENCODER_STREAM_ERROR);
        }
        let decoder = |bytes: &[u8]| read_decoder_stream(&mut bytes.into());
        assert_eq!(decoder(b"\x44\x7f\x01"), Ok(()));
        for bytes in [&b"\x80"[..], b"\x01"] {
            assert_eq!(decoder(bytes).unwrap_err().code, Code::QPACK_DECODER_STREAM_ERROR);
        }
        // What is cut waits for the rest.
        let mut cut = BytesMut::from(&b"\x44\x7f"[..]);
        assert_eq!(read_decoder_stream(&mut cut), Ok(()));
        assert_eq!(cut, b"\x7f"[..]);
    }

    proptest! {
        #[test]
        fn fields_come_back(
            fields in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..20), prop::collection::vec(any::<u8>(), 0..200)),
                0..10,
            ),
        ) {
            let mut out = Vec::new();
            encode_section(&mut out, fields.clone());
            prop_assert_eq!(decoded(&out), fields);
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _section = decode_section(&bytes, 1000);
            let _read = read_encoder_stream(&mut BytesMut::from(&bytes[..]));
            let _read = read_decoder_stream(&mut BytesMut::from(&bytes[..]));
        }
    }
}
