//! `.headers` files.
//!
//! - Fields are no longer than what they were read from, and hold no line end.
//! - Nothing is around names and values that stripping would take.
//! - The error's line is the file's line of that number.
//! - Fields, written anew, are read as the same fields.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto::headers_file::parse_headers_file;

fuzz_target!(|data: &[u8]| {
    let fields = match parse_headers_file(data) {
        Ok(fields) => fields,
        Err(error) => {
            assert!(!error.text.is_empty() && !error.text.contains(&b':'));
            assert_eq!(line(data, error.line), &error.text[..]);
            return;
        }
    };
    let mut written = Vec::new();
    for (name, value) in &fields {
        assert!(!name.contains(&b':'));
        for part in [name, value] {
            assert!(!part.iter().any(|byte| matches!(byte, b'\r' | b'\n')));
            let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | 0x0b | 0x0c);
            assert!(!part.first().is_some_and(is_space) && !part.last().is_some_and(is_space));
        }
        written.extend_from_slice(&[&name[..], b":", value, b"\n"].concat());
    }
    // The last line may have no end.
    assert!(written.len() <= data.len() + 1);
    assert_eq!(parse_headers_file(&written), Ok(fields));
});

/// The line of that number, found in another way: with all line ends made alike.
fn line(data: &[u8], number: usize) -> Vec<u8> {
    let mut lines = vec![Vec::new()];
    let mut previous = 0;
    for &byte in data {
        match byte {
            b'\n' if previous == b'\r' => {}
            b'\n' | b'\r' => lines.push(Vec::new()),
            byte => lines.last_mut().into_iter().for_each(|line| line.push(byte)),
        }
        previous = byte;
    }
    lines.swap_remove(number - 1)
}
