//! The heads of messages: the library's requests as ours, and our responses as header lists.

use bytes::Bytes;
use h2::ext::Protocol;
use http::{HeaderMap, Uri, header, request};
use proto::{HeaderList, RequestHead, Target, Version, http2};

/// A request's head as handlers see it: with a Host field, and with its cookies in one field.
///
/// The client may send each cookie in a field of its own (RFC 9113, section 8.2.3).
pub(super) fn request_head(parts: &request::Parts) -> RequestHead {
    let method = Bytes::copy_from_slice(parts.method.as_str().as_bytes());
    let tunnel = parts.extensions.get::<Protocol>().is_some();
    let raw_target = match parts.uri.path_and_query() {
        Some(path) => Bytes::copy_from_slice(path.as_str().as_bytes()),
        // CONNECT names a host only.
        None => authority(&parts.uri).unwrap_or_default(),
    };
    // An extended CONNECT has a path like any other request (RFC 8441, section 4).
    let target = Target::parse(raw_target.clone(), if tunnel { b"GET" } else { &method });
    RequestHead {
        method,
        raw_target,
        target,
        version: Version::Http2,
        headers: fields(&parts.headers, &parts.uri),
        request_line: Bytes::new(),
    }
}

fn fields(map: &HeaderMap, uri: &Uri) -> HeaderList {
    let mut list = HeaderList::with_capacity(map.len() + 1);
    if !map.contains_key(header::HOST)
        && let Some(authority) = authority(uri)
    {
        list.push("host", authority);
    }
    for name in map.keys() {
        let values = map.get_all(name);
        let field = Bytes::copy_from_slice(name.as_str().as_bytes());
        if name == header::COOKIE && values.iter().count() > 1 {
            let crumbs: Vec<&[u8]> = values.iter().map(http::HeaderValue::as_bytes).collect();
            list.push(field, crumbs.join(&b"; "[..]));
            continue;
        }
        for value in values {
            list.push(field.clone(), Bytes::copy_from_slice(value.as_bytes()));
        }
    }
    list
}

fn authority(uri: &Uri) -> Option<Bytes> {
    Some(Bytes::copy_from_slice(uri.authority()?.as_str().as_bytes()))
}

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

/// Whether a header list is that of an informational response.
pub(super) fn is_informational(fields: &HeaderList) -> bool {
    fields.get(b":status").is_some_and(|status| status.len() == 3 && status.starts_with(b"1"))
}
