//! permessage-deflate.
//!
//! - A message that is compressed, in any parts and with any parameters, comes back.
//! - Any bytes are decompressed to no more than the limit, or refused.
//! - After an error the next message is read as a first one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto::websocket::{DeflateOffer, MessageDeflater, MessageInflater};

fuzz_target!(|data: &[u8]| {
    // The parameters: the window, whether each message is forgotten, BFINAL, and where it is cut.
    let [parameters, cut, data @ ..] = data else {
        return;
    };
    let mut deflater = MessageDeflater::new(parameters & 0xf, parameters & 0x10 != 0);
    let bfinal = parameters & 0x20 != 0;
    let mut inflater = MessageInflater::default();
    let (first, second) = data.split_at(usize::from(*cut).min(data.len()));
    for _ in 0..2 {
        let mut compressed = deflater.deflate(first, false, false).unwrap();
        compressed.extend(deflater.deflate(second, true, bfinal).unwrap());
        let (head, tail) = compressed.split_at(usize::from(*cut).min(compressed.len()));
        let mut out = Vec::new();
        inflater.inflate(head, false, &mut out, data.len()).unwrap();
        inflater.inflate(tail, true, &mut out, data.len()).unwrap();
        assert_eq!(out, data);
    }

    let mut out = Vec::new();
    let mut inflater = MessageInflater::default();
    if inflater.inflate(data, true, &mut out, LIMIT).is_ok() {
        assert!(out.len() <= LIMIT);
    } else {
        let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
        let mut out = Vec::new();
        inflater.inflate(hello, true, &mut out, LIMIT).unwrap();
        assert_eq!(out, b"Hello");
    }

    let parameters = data.split(|&byte| byte == b';').map(|part| {
        let mut halves = part.splitn(2, |&byte| byte == b'=');
        (halves.next().unwrap_or_default(), halves.next())
    });
    if let Some(offer) = DeflateOffer::parse(parameters) {
        assert!(offer.server_max_window_bits.is_none_or(|bits| (8..=15).contains(&bits)));
    }
});

const LIMIT: usize = 1 << 16;
