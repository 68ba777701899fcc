//! `// META:` comments.
//!
//! - Keys consist of word characters, values hold no line feed.
//! - Comments, written anew, are read as the same comments.
//! - Whatever `global` says, a scope is exposed by its own name, and none by an unknown one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto::script_metadata::{is_exposed, script_metadata};

fuzz_target!(|data: &[u8]| {
    let mut written = String::new();
    let mut read = Vec::new();
    let mut lines = 0;
    for comment in script_metadata(data) {
        lines += 1;
        let (key, value) = match comment {
            Ok(pair) => pair,
            Err(error) => {
                assert!(error.to_string().starts_with(&format!("line {lines} is not UTF-8")));
                continue;
            }
        };
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
        assert!(!value.contains('\n'));
        assert!(is_exposed(&format!("{value},window-module"), "window-module"));
        assert!(!is_exposed(value, "no,scope"));
        written.push_str(&format!("// META: {key}={value}\n"));
        read.push((key, value));
    }
    assert!(lines <= data.split(|&byte| byte == b'\n').count());
    let again: Vec<_> = script_metadata(written.as_bytes()).map(Result::unwrap).collect();
    assert_eq!(again, read);
});
