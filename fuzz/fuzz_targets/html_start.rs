//! Where a document's content starts.
//!
//! - The position is in the document, and on a character's boundary.
//! - What stands before it is passed over again, and nothing behind it is.
//! - Content put at the start has its position there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto::html_start::content_start;

fuzz_target!(|html: &[u8]| {
    // All of it is looked at, wherever it is cut.
    let html = &html[..html.len().min(10_000)];
    let Some(at) = content_start(html) else { return };
    assert!(at < html.len());
    if let Ok(text) = std::str::from_utf8(html) {
        assert!(text.is_char_boundary(at));
    }
    let (preamble, content) = html.split_at(at);
    let has_mark = [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"];
    if !has_mark.iter().any(|mark| content.starts_with(mark)) {
        assert_eq!(content_start(content), Some(0));
    }
    assert_eq!(content_start(&[preamble, b"<p>"].concat()), Some(at));
    assert_eq!(content_start(&[b"<p>", &html[..html.len().min(100)]].concat()), Some(0));
});
