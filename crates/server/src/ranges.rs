//! Range requests (RFC 9110, section 14) for files.

use proto::range::{RangeError, parse_ranges};

use crate::{Response, files::Failure, parts::Parts, response::Body};

/// Cuts a whole response down to the ranges that the `Range` field asks for. Several ranges
/// become a `multipart/byteranges`.
pub(crate) fn apply(header: &[u8], response: &mut Response, size: u64) -> Result<(), Failure> {
    let ranges = parse_ranges(header, size).map_err(|error| match error {
        error @ RangeError::NotAscii => Failure::Status(error.status(), error.message()),
        error => Failure::Range(error.message(), size),
    })?;
    let content = std::mem::replace(&mut response.body, Body::None).into_parts();
    response.status = 206;
    if let [range] = ranges[..] {
        response.headers.set("Content-Range", range.content_range(size));
        response.body = content.slice(range.start..range.end).into();
        return Ok(());
    }
    let boundary = uuid::Uuid::new_v4().to_string();
    let media_type = response.headers.get_all(b"content-type").last().cloned();
    let content_type = format!("multipart/byteranges; boundary={boundary}");
    response.headers.set("Content-Type", content_type);
    let mut parts = Parts::default();
    for range in ranges {
        let mut head = format!("\r\n--{boundary}\r\n").into_bytes();
        if let Some(media_type) = &media_type {
            head.extend_from_slice(b"Content-Type: ");
            head.extend_from_slice(media_type);
            head.extend_from_slice(b"\r\n");
        }
        let place = range.content_range(size);
        head.extend_from_slice(format!("Content-Range: {place}\r\n\r\n").as_bytes());
        parts.push(head);
        parts.append(content.slice(range.start..range.end));
    }
    // No line end behind the last boundary, as in the reference.
    parts.push(format!("\r\n--{boundary}--"));
    response.body = parts.into();
    Ok(())
}
