//! Frames of HTTP/2 and header blocks, as the server writes them.
//!
//! - What was written is whole frames, none longer than the limit.
//! - The parts of a block, put together again, are the block, and only the last ends it.
//! - A frame's header is read as it was written; any bytes are a header.
//! - A response's head that was written for HTTP/1 is shorter than what it was read from.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use proto::http2::{self, Flags, FrameHeader, HEADER_LENGTH, Kind};
use proto::response_head::parse_response_head;

fuzz_target!(|data: &[u8]| {
    if let Some((bytes, _)) = data.split_first_chunk::<HEADER_LENGTH>() {
        let header = FrameHeader::decode(bytes);
        assert_eq!(FrameHeader::decode(&header.encode()), header);
    }
    let mut head = BytesMut::from(data);
    if let Ok(Some(found)) = parse_response_head(&mut head) {
        let size: usize = found.headers.iter().map(|f| f.name.len() + f.value.len()).sum();
        assert!(size + head.len() <= data.len());
    }
    // The first byte says how long a frame may be; names and values alternate, ended by a NUL.
    let Some((&limit, fields)) = data.split_first() else {
        return;
    };
    let limit = usize::from(limit).max(5);
    let parts: Vec<&[u8]> = fields.split(|&byte| byte == 0).collect();
    let pairs = parts.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    let mut block = Vec::new();
    http2::encode_block(&mut block, pairs);

    let mut frames = Vec::new();
    http2::headers(&mut frames, Kind::HEADERS, 1, Flags::END_STREAM, &block, Some(limit));
    assert_eq!(joined(&frames, limit, 0), block);
    frames.clear();
    http2::push_promise(&mut frames, 1, 2, &block, limit);
    assert_eq!(joined(&frames, limit, 4), block);
});

/// The block in frames whose first payload begins with `skipped` other bytes.
fn joined(mut bytes: &[u8], limit: usize, skipped: usize) -> Vec<u8> {
    let mut block = Vec::new();
    let mut ended = false;
    let mut skipped = skipped;
    while let Some((header, rest)) = bytes.split_first_chunk::<HEADER_LENGTH>() {
        assert!(!ended);
        let header = FrameHeader::decode(header);
        assert!(header.length as usize <= limit);
        let (payload, rest) = rest.split_at(header.length as usize);
        block.extend_from_slice(&payload[skipped..]);
        skipped = 0;
        ended = header.flags.contains(Flags::END_HEADERS);
        bytes = rest;
    }
    assert!(ended && bytes.is_empty());
    block
}
