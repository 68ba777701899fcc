//! The `Range` field.
//!
//! - Ranges are in the file, not empty, and in the order of their starts.
//! - A byte is in a range if, and only if, it is in one of the ranges asked for.
//! - Ranges that do not touch, written anew, are read as the same ranges.
//! - An error has a status and a message in ASCII.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto::range::{ByteRange, RangeError, parse_ranges};

fuzz_target!(|data: &[u8]| {
    // The first byte is the file's size.
    let Some((&size, header)) = data.split_first() else {
        return;
    };
    let sizes = [u64::from(size), u64::from(size) << 32];
    for size in sizes {
        match parse_ranges(header, size) {
            Ok(ranges) => check(header, size, &ranges),
            Err(error) => {
                assert_eq!(error.status() == 500, error == RangeError::NotAscii);
                assert!(error.message().bytes().all(|byte| matches!(byte, b' '..=b'~')));
            }
        }
    }
});

fn check(header: &[u8], size: u64, ranges: &[ByteRange]) {
    assert!(!ranges.is_empty());
    assert!(ranges.iter().all(|range| range.start < range.end && range.end <= size));
    assert!(ranges.windows(2).all(|pair| pair[0].start < pair[1].start));

    let single: Vec<_> = header
        .strip_prefix(b"bytes=")
        .unwrap_or_default()
        .split(|&byte| byte == b',')
        .map(|specifier| parse_ranges(&[b"bytes=", specifier].concat(), size))
        .map(|range| match range.as_deref() {
            Ok(&[range]) => range,
            other => panic!("{other:?} for one range"),
        })
        .collect();
    assert!(ranges.len() <= single.len());
    for place in single.iter().chain(ranges).flat_map(|range| [range.start, range.end]) {
        for byte in [place.saturating_sub(1), place] {
            let holds = |range: &ByteRange| range.start <= byte && byte < range.end;
            assert_eq!(ranges.iter().any(holds), single.iter().any(holds), "byte {byte}");
        }
    }

    if ranges.windows(2).all(|pair| pair[0].end < pair[1].start) {
        let written: Vec<_> =
            ranges.iter().map(|range| format!("{}-{}", range.start, range.end - 1)).collect();
        let written = format!("bytes={}", written.join(","));
        assert_eq!(parse_ranges(written.as_bytes(), size).as_deref(), Ok(ranges));
    }
    for range in ranges {
        let expected = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        assert_eq!(range.content_range(size), expected);
    }
}
