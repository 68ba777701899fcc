//! The heads of responses as header lists.

use proto::{HeaderList, http2};

/// The header block of a response that a handler wrote for any version: names in lower case, and
/// without what only HTTP/1 has (RFC 9113, section 8.2.2).
pub(super) fn response_block(status: i64, headers: &HeaderList) -> Vec<u8> {
    let mut block = Vec::with_capacity(128);
    http2::encode_field(&mut block, b":status", status.to_string().as_bytes());
    for field in headers {
        let name = field.name.to_ascii_lowercase();
        if !http2::CONNECTION_FIELDS.contains(&&name[..]) {
            http2::encode_field(&mut block, &name, &field.value);
        }
    }
    block
}

/// The header block of a header list as it is.
pub(super) fn block(fields: &HeaderList) -> Vec<u8> {
    let mut block = Vec::with_capacity(128);
    http2::encode_block(&mut block, fields.iter().map(|field| (&field.name, &field.value)));
    block
}

/// Whether a header list is that of an informational response (RFC 9110, section 15.2).
pub fn is_informational(fields: &HeaderList) -> bool {
    fields.get(b":status").is_some_and(|status| status.len() == 3 && status.starts_with(b"1"))
}
