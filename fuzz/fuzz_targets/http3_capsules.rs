//! Capsules, as WebTransport sends them.
//!
//! - They are the same whether they come in pieces or at once, and so is the error.
//! - A capsule that is read, written again, reads the same.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use proto::http3::{Capsule, CapsuleDecoder, ConnectionError};

fuzz_target!(|data: &[u8]| {
    // The first byte is the length of the pieces.
    let Some((&first, data)) = data.split_first() else {
        return;
    };
    let at_once = read(data, data.len().max(1));
    assert_eq!(read(data, usize::from(first) + 1), at_once);
    let mut again = Vec::new();
    for capsule in &at_once.0 {
        capsule.encode(&mut again);
    }
    assert_eq!(read(&again, again.len().max(1)), (at_once.0, None));
});

fn read(data: &[u8], size: usize) -> (Vec<Capsule>, Option<ConnectionError>) {
    let mut decoder = CapsuleDecoder::default();
    let (mut buf, mut capsules) = (BytesMut::new(), Vec::new());
    for piece in data.chunks(size) {
        buf.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buf) {
                Ok(Some(capsule)) => capsules.push(capsule),
                Ok(None) => break,
                Err(error) => return (capsules, Some(error)),
            }
        }
    }
    (capsules, None)
}
