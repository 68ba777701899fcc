//! Query strings and percent escapes.
//!
//! - Nothing that is decoded is longer than what it was read from.
//! - Pairs, quoted anew, are read as the same pairs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto::percent::{decode, quote};
use proto::query::parse_query;

fuzz_target!(|data: &[u8]| {
    let pairs = parse_query(data);
    let decoded: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(decoded <= data.len());

    let written = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", quote(name), quote(value)))
        .collect::<Vec<_>>()
        .join("&");
    assert_eq!(parse_query(written.as_bytes()), pairs);

    assert!(decode(data).len() <= data.len());
    let quoted = quote(data);
    assert!(quoted.bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(decode(quoted.as_bytes()), data);
});
