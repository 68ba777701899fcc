//! The chunked transfer coding.
//!
//! - A body that arrives in pieces ends as the whole one does.
//! - The data and the trailers are shorter than what they were read from.
//! - Data that was decoded, encoded anew, is decoded to the same data.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use proto::chunked::encode_chunk;
use proto::{ChunkedDecoder, ChunkedError, ChunkedStep, HeaderList};

#[derive(Debug, PartialEq)]
struct Decoded {
    body: Vec<u8>,
    /// The trailers, once the body is over.
    trailers: Option<HeaderList>,
    /// How many bytes are left.
    rest: usize,
}

fuzz_target!(|data: &[u8]| {
    // The first byte says how long the pieces are.
    let Some((&step, input)) = data.split_first() else {
        return;
    };
    let whole = decode(input, input.len().max(1));
    let pieced = decode(input, usize::from(step).max(1));
    assert_eq!(whole, pieced);
    let Ok(decoded) = whole else {
        return;
    };
    let trailers: usize =
        decoded.trailers.iter().flatten().map(|field| field.name.len() + field.value.len()).sum();
    assert!(decoded.body.len() + trailers + decoded.rest <= input.len());

    let mut encoded = Vec::new();
    for chunk in decoded.body.chunks(usize::from(step).max(1)) {
        encode_chunk(chunk, &mut encoded);
    }
    encode_chunk(b"", &mut encoded);
    let again = Decoded { body: decoded.body, trailers: Some(HeaderList::new()), rest: 0 };
    assert_eq!(decode(&encoded, encoded.len()), Ok(again));
});

fn decode(input: &[u8], step: usize) -> Result<Decoded, ChunkedError> {
    let mut decoder = ChunkedDecoder::new();
    let mut buf = BytesMut::new();
    let mut body = Vec::new();
    let mut trailers = None;
    for piece in input.chunks(step) {
        buf.extend_from_slice(piece);
        while trailers.is_none() {
            match decoder.decode(&mut buf)? {
                ChunkedStep::Data(data) => {
                    assert!(!data.is_empty());
                    body.extend_from_slice(&data);
                }
                ChunkedStep::NeedMore => break,
                ChunkedStep::Done(found) => trailers = Some(found),
            }
        }
    }
    Ok(Decoded { body, trailers, rest: buf.len() })
}
