//! The front matter of test262 tests.
//!
//! - A source without the marks has none; whatever stands between them can be read.
//! - What is read stands in the source.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto::front_matter::FrontMatter;

fuzz_target!(|source: &str| {
    let Some(read) = FrontMatter::parse(source) else {
        assert!(FrontMatter::parse(&format!("/*---\n{source}\n---*/")).is_some());
        return;
    };
    assert!(source.contains("/*---") && source.contains("---*/"));
    let negative = read.negative.unwrap_or_default();
    let words =
        read.flags.iter().chain(&read.includes).chain(&negative.kind).chain(&negative.phase);
    let one_line = source.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    for word in words {
        // A list over several lines may have a comment in it, or none.
        assert!(source.contains(word) || one_line.contains(word) || source.contains('#'));
    }
});
