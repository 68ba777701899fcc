//! Range requests (RFC 9110, section 14) for files.

use std::{
    fs::File,
    io::{Seek, SeekFrom},
};

use bytes::{Bytes, BytesMut};
use proto::range::{ByteRange, RangeError, parse_ranges};

use crate::{Response, files::Failure, response::Body};

/// Cuts a whole response down to the ranges that the `Range` field asks for. Several ranges
/// become a `multipart/byteranges`.
pub(crate) fn apply(header: &[u8], response: &mut Response, size: u64) -> Result<(), Failure> {
    let ranges = parse_ranges(header, size).map_err(|error| match error {
        error @ RangeError::NotAscii => Failure::Status(error.status(), error.message()),
        error => Failure::Range(error.message(), size),
    })?;
    let body = std::mem::replace(&mut response.body, Body::None);
    response.status = 206;
    if let [range] = ranges[..] {
        response.headers.set("Content-Range", range.content_range(size));
        response.body = part(body, range)?;
        return Ok(());
    }
    let boundary = uuid::Uuid::new_v4().to_string();
    let media_type = response.headers.get_all(b"content-type").last().cloned();
    let content_type = format!("multipart/byteranges; boundary={boundary}");
    response.headers.set("Content-Type", content_type);
    let content = body.read()?;
    let mut parts = BytesMut::new();
    for range in ranges {
        parts.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
        if let Some(media_type) = &media_type {
            parts.extend_from_slice(b"Content-Type: ");
            parts.extend_from_slice(media_type);
            parts.extend_from_slice(b"\r\n");
        }
        let place = range.content_range(size);
        parts.extend_from_slice(format!("Content-Range: {place}\r\n\r\n").as_bytes());
        parts.extend_from_slice(&slice(&content, range));
    }
    // No line end behind the last boundary, as in the reference.
    parts.extend_from_slice(format!("\r\n--{boundary}--").as_bytes());
    response.body = Body::Bytes(parts.freeze());
    Ok(())
}

fn part(body: Body, range: ByteRange) -> Result<Body, Failure> {
    Ok(match body {
        Body::File { file, .. } => {
            let length = range.end - range.start;
            Body::File { file: at(file, range.start)?, length }
        }
        body => Body::Bytes(slice(&body.read()?, range)),
    })
}

fn at(mut file: File, position: u64) -> Result<File, Failure> {
    file.seek(SeekFrom::Start(position))?;
    Ok(file)
}

/// The range's bytes, as far as the content has them: it may have become shorter meanwhile.
fn slice(content: &Bytes, range: ByteRange) -> Bytes {
    let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
    content.slice(place(range.start)..place(range.end))
}
