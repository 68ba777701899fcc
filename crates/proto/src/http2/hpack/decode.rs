//! Header blocks that are read.

use bytes::Bytes;
use thiserror::Error;

use super::table::{DynamicTable, size_of};
use crate::{
    headers::{Field, HeaderList},
    prefixed::{Unreadable, integer, string},
};

/// Reads the header blocks of one direction of a connection, each whole and in turn.
///
/// A field that refers to a table shares its bytes with it, so that a block which repeats a long
/// one costs no more memory than it has bytes.
#[derive(Debug)]
pub struct Decoder {
    table: DynamicTable,
    /// `SETTINGS_HEADER_TABLE_SIZE`, as the peer knows it.
    max_table_size: usize,
    /// The literal that is being read.
    literal: Vec<u8>,
}

/// What a header block holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The fields, in order; none when they are larger than is allowed.
    pub fields: HeaderList,
    /// Their size: the names, the values, and 32 bytes for each field (RFC 9113 section 6.5.2).
    pub size: usize,
}

/// Why a header block cannot be read. Those that follow it cannot either: an error of the
/// connection, `COMPRESSION_ERROR` (RFC 9113 section 4.3).
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// A field does not end within the block.
    #[error("the header block ends within a field")]
    Truncated,
    /// A number does not fit 32 bits.
    #[error("a number in the header block is too large")]
    BadInteger,
    /// No table has a field at that index.
    #[error("the header block refers to a field that is in no table")]
    BadIndex,
    /// A string is not in the Huffman code.
    #[error("a string in the header block is not in the Huffman code")]
    BadHuffman,
    /// The table is to be larger than this side allows, or is changed behind a field (RFC 7541
    /// section 4.2).
    #[error("the header block sets a size of the table that is not allowed")]
    BadTableSize,
}

impl From<Unreadable> for DecodeError {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Truncated => Self::Truncated,
            Unreadable::TooLarge => Self::BadInteger,
            Unreadable::BadHuffman => Self::BadHuffman,
        }
    }
}

impl Decoder {
    /// A decoder for a peer that may use a table of `max_table_size` bytes.
    pub fn new(max_table_size: usize) -> Self {
        let table = DynamicTable::new(max_table_size);
        Self { table, max_table_size, literal: Vec::new() }
    }

    /// Reads a block. Of one whose fields are larger than `max_size` only the size is told; the
    /// table is kept in step all the same.
    pub fn decode(&mut self, block: &[u8], max_size: usize) -> Result<Block, DecodeError> {
        let mut rest = block;
        let mut found = Block::default();
        let mut is_begun = false;
        while let Some(&first) = rest.first() {
            let field = if first & 0x80 != 0 {
                self.indexed(integer(&mut rest, 7)?)?
            } else if first & 0x40 != 0 {
                let field = self.literal(&mut rest, 6)?;
                self.table.insert(field.clone());
                field
            } else if first & 0x20 != 0 {
                let size = integer(&mut rest, 5)?;
                if is_begun || size > self.max_table_size {
                    return Err(DecodeError::BadTableSize);
                }
                self.table.set_max_size(size);
                continue;
            } else {
                // Without indexing, or never to be indexed.
                self.literal(&mut rest, 4)?
            };
            is_begun = true;
            found.size = found.size.saturating_add(size_of(&field));
            if found.size <= max_size {
                found.fields.push(field.name, field.value);
            } else {
                found.fields = HeaderList::new();
            }
        }
        Ok(found)
    }

    fn indexed(&self, index: usize) -> Result<Field, DecodeError> {
        self.table.get(index).ok_or(DecodeError::BadIndex)
    }

    /// A literal field, whose name may be an index.
    fn literal(&mut self, rest: &mut &[u8], prefix: u32) -> Result<Field, DecodeError> {
        self.literal.clear();
        let index = integer(rest, prefix)?;
        let name = if index == 0 {
            string(rest, 7, &mut self.literal)?;
            None
        } else {
            let name = self.indexed(index)?.name;
            // A name of the dynamic table is copied: it would keep its old value in memory.
            if DynamicTable::is_static(index) {
                Some(name)
            } else {
                self.literal.extend_from_slice(&name);
                None
            }
        };
        let name_length = self.literal.len();
        string(rest, 7, &mut self.literal)?;
        let bytes = Bytes::copy_from_slice(&self.literal);
        let (own_name, value) = (bytes.slice(..name_length), bytes.slice(name_length..));
        Ok(Field { name: name.unwrap_or(own_name), value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{http2::hpack::table::STATIC, huffman::tests::encode, prefixed::encode_integer};
    use proptest::prelude::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    }

    fn list(text: &str) -> Vec<(String, String)> {
        let field = |line: &str| {
            let (name, value) = line.trim().split_once(" = ").unwrap();
            (name.to_owned(), value.to_owned())
        };
        text.lines().filter(|line| !line.trim().is_empty()).map(field).collect()
    }

    fn read(decoder: &mut Decoder, hex: &str) -> Vec<(String, String)> {
        let block = decoder.decode(&bytes(hex), usize::MAX).unwrap();
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        block.fields.iter().map(|field| (text(&field.name), text(&field.value))).collect()
    }

    fn error(hex: &str) -> DecodeError {
        Decoder::new(4096).decode(&bytes(hex), usize::MAX).unwrap_err()
    }

    #[test]
    fn single_fields_of_rfc_7541() {
        // Appendices C.2.1 to C.2.4.
        let custom = "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572";
        for (block, field) in [
            (custom, "custom-key = custom-header"),
            ("040c 2f73 616d 706c 652f 7061 7468", ":path = /sample/path"),
            ("1008 7061 7373 776f 7264 0673 6563 7265 74", "password = secret"),
            ("82", ":method = GET"),
        ] {
            assert_eq!(read(&mut Decoder::new(4096), block), list(field));
        }
    }

    #[test]
    fn requests_of_rfc_7541() {
        // Appendices C.3 and C.4: the same requests, plain and in the Huffman code.
        for blocks in [
            [
                "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
                "8286 84be 5808 6e6f 2d63 6163 6865",
                "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
            ],
            [
                "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
                "8286 84be 5886 a8eb 1064 9cbf",
                "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
            ],
        ] {
            let mut decoder = Decoder::new(4096);
            let first = ":method = GET\n:scheme = http\n:path = /\n:authority = www.example.com";
            assert_eq!(read(&mut decoder, blocks[0]), list(first));
            let second = [first, "cache-control = no-cache"].join("\n");
            assert_eq!(read(&mut decoder, blocks[1]), list(&second));
            let third = ":method = GET\n:scheme = https\n:path = /index.html\n\
                         :authority = www.example.com\ncustom-key = custom-value";
            assert_eq!(read(&mut decoder, blocks[2]), list(third));
        }
    }

    #[test]
    fn responses_of_rfc_7541_drop_the_oldest() {
        // Appendices C.5 and C.6, with a table of 256 bytes.
        let date = "Mon, 21 Oct 2013 20:13:21 GMT";
        let location = "location = https://www.example.com";
        let first = format!(":status = 302\ncache-control = private\ndate = {date}\n{location}");
        let second = first.replace("302", "307");
        let cookie = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
        let third = format!(
            ":status = 200\ncache-control = private\ndate = {}\n{location}\n\
             content-encoding = gzip\nset-cookie = {cookie}",
            date.replace("21 GMT", "22 GMT")
        );
        for blocks in [
            [
                "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 \
                 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 \
                 6c65 2e63 6f6d",
                "4803 3330 37c1 c0bf",
                "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d \
                 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 \
                 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e \
                 3d31",
            ],
            [
                "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 \
                 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
                "4883 640e ffc1 c0bf",
                "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab \
                 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f \
                 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
            ],
        ] {
            let mut decoder = Decoder::new(256);
            assert_eq!(read(&mut decoder, blocks[0]), list(&first));
            assert_eq!(read(&mut decoder, blocks[1]), list(&second));
            assert_eq!(read(&mut decoder, blocks[2]), list(&third));
            // The table holds the last three fields that were added.
            assert!(decoder.decode(b"\xc0", usize::MAX).is_ok());
            assert_eq!(decoder.decode(b"\xc1", usize::MAX), Err(DecodeError::BadIndex));
        }
    }

    #[test]
    fn what_is_no_block_is_told() {
        for (block, expected) in [
            ("40", DecodeError::Truncated),
            ("400a 63", DecodeError::Truncated),
            ("0001 61", DecodeError::Truncated),
            ("ff", DecodeError::Truncated),
            ("80", DecodeError::BadIndex),
            ("be", DecodeError::BadIndex),
            ("7f00 00", DecodeError::BadIndex),
            ("0001 6181 1e", DecodeError::BadHuffman),
            ("ffff ffff ffff ffff 00", DecodeError::BadInteger),
            ("ffff ffff ff7f", DecodeError::BadInteger),
            // 4097, and a change behind a field.
            ("3fe2 1f", DecodeError::BadTableSize),
            ("8220", DecodeError::BadTableSize),
        ] {
            assert_eq!(error(block), expected, "{block}");
        }
    }

    #[test]
    fn a_peer_sizes_its_table() {
        let mut decoder = Decoder::new(64);
        // a: b, indexed, twice: the first is dropped at 33 bytes.
        decoder.decode(b"\x40\x01a\x01b\x40\x01c\x01d", usize::MAX).unwrap();
        assert_eq!(decoder.decode(b"\xbe\xbf", usize::MAX), Err(DecodeError::BadIndex));
        assert_eq!(decoder.decode(b"\x3f\x03\xbe", usize::MAX).unwrap().fields.len(), 1);
        assert_eq!(decoder.decode(b"\x20\xbe", usize::MAX), Err(DecodeError::BadIndex));
        // One that is larger than the table empties it.
        let mut decoder = Decoder::new(34);
        decoder.decode(b"\x40\x01a\x01b\x40\x01c\x02de", usize::MAX).unwrap();
        assert_eq!(decoder.decode(b"\xbe", usize::MAX), Err(DecodeError::BadIndex));
    }

    #[test]
    fn fields_that_are_too_large_are_counted_and_not_kept() {
        let mut decoder = Decoder::new(4096);
        let block = decoder.decode(b"\x40\x01a\x01b\xbe\xbe", 100).unwrap();
        assert_eq!(block, Block { fields: HeaderList::new(), size: 3 * 34 });
        assert_eq!(decoder.decode(b"\xbe", 100).unwrap().fields.len(), 1);
    }

    #[test]
    fn a_field_of_the_table_is_shared() {
        let mut decoder = Decoder::new(4096);
        let block = decoder.decode(b"\x40\x01a\x01b\xbe", usize::MAX).unwrap();
        let at: Vec<_> = block.fields.iter().map(|field| field.value.as_ptr()).collect();
        assert_eq!(at[0], at[1]);
    }

    /// How a field is written.
    #[derive(Clone, Debug)]
    enum Form {
        /// By an index, where a table has it, else as the next.
        Indexed,
        /// A literal: how its first byte begins, how long its prefix is.
        Literal(u8, u32),
    }

    /// A writer that uses all of HPACK.
    struct Encoder {
        table: DynamicTable,
        all: usize,
    }

    impl Encoder {
        fn write(&mut self, out: &mut Vec<u8>, field: &Field, form: &Form, coded: bool) {
            let entries = (1..=STATIC.len() + self.all)
                .map_while(|index| self.table.get(index).map(|entry| (index, entry)));
            let entries: Vec<_> = entries.collect();
            let named = entries.iter().find(|(_, entry)| entry.name == field.name);
            let whole = entries.iter().find(|(_, entry)| entry == field);
            let (first, prefix) = match (form, whole) {
                (Form::Indexed, Some((index, _))) => return encode_integer(out, 0x80, 7, *index),
                (Form::Indexed, None) => (0x40, 6),
                (Form::Literal(first, prefix), _) => (*first, *prefix),
            };
            let text = |out: &mut Vec<u8>, bytes: &[u8]| {
                let bytes = if coded { encode(bytes) } else { bytes.to_vec() };
                encode_integer(out, if coded { 0x80 } else { 0 }, 7, bytes.len());
                out.extend_from_slice(&bytes);
            };
            encode_integer(out, first, prefix, named.map_or(0, |(index, _)| *index));
            if named.is_none() {
                text(out, &field.name);
            }
            text(out, &field.value);
            if first == 0x40 {
                self.all += 1;
                self.table.insert(field.clone());
            }
        }
    }

    proptest! {
        #[test]
        fn a_block_is_read_as_any_writer_wrote_it(
            blocks in prop::collection::vec(
                (
                    prop::option::of(0..200_usize),
                    prop::collection::vec(
                        (
                            "[a-c]{1,2}|:path|cookie|age",
                            prop::collection::vec(any::<u8>(), 0..40),
                            prop_oneof![
                                Just(Form::Indexed),
                                Just(Form::Literal(0x40, 6)),
                                Just(Form::Literal(0x10, 4)),
                                Just(Form::Literal(0, 4)),
                            ],
                            any::<bool>(),
                        ),
                        0..6,
                    ),
                ),
                0..6,
            )
        ) {
            let mut encoder = Encoder { table: DynamicTable::new(200), all: 0 };
            let mut decoder = Decoder::new(200);
            for (table_size, fields) in blocks {
                let mut out = Vec::new();
                if let Some(size) = table_size {
                    encode_integer(&mut out, 0x20, 5, size);
                    encoder.table.set_max_size(size);
                }
                let mut expected = HeaderList::new();
                for (name, value, form, coded) in fields {
                    let field = Field { name: name.into(), value: value.into() };
                    encoder.write(&mut out, &field, &form, coded);
                    expected.push(field.name, field.value);
                }
                let size = expected.iter().map(size_of).sum();
                let expected = Block { fields: expected, size };
                prop_assert_eq!(decoder.decode(&out, usize::MAX).unwrap(), expected);
            }
        }

        #[test]
        fn any_bytes_end(block in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Decoder::new(4096).decode(&block, 1000);
        }
    }
}
