//! Header blocks of HTTP/2 that are read, and the heads of requests in them. The input's lines are
//! the blocks of one connection; the first byte is the size of its table.
//!
//! - What was read is written anew and read the same.
//! - A limit that is too small changes no table: what follows is read the same.
//! - A request has the fields that it came with, but for its cookies and its host.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto::http2::{self, Decoder};

fuzz_target!(|data: &[u8]| {
    let Some((&table, data)) = data.split_first() else {
        return;
    };
    let mut decoder = Decoder::new(usize::from(table) * 4);
    let mut strict = Decoder::new(usize::from(table) * 4);
    for block in data.split(|&byte| byte == b'\n') {
        let read = decoder.decode(block, usize::MAX);
        let limited = strict.decode(block, 40);
        let Ok(read) = read else {
            assert_eq!(read.err(), limited.err());
            return;
        };
        // Both read the same bytes with tables of the same size.
        let limited = limited.expect("it was read before");
        assert_eq!(limited.size, read.size);
        assert!(limited.fields.is_empty() || limited.fields == read.fields);

        let mut written = Vec::new();
        let fields = read.fields.iter().map(|field| (&field.name, &field.value));
        http2::encode_block(&mut written, fields);
        assert_eq!(Decoder::new(0).decode(&written, usize::MAX).as_ref(), Ok(&read));

        let _ = http2::check_trailers(&read.fields);
        if let Ok(parsed) = http2::parse_request(&read.fields) {
            let headers = &parsed.head.headers;
            assert!(headers.get_all(b"cookie").count() <= 1);
            for field in &read.fields {
                assert!(
                    field.name.starts_with(b":")
                        || field.name == "cookie"
                        || field.name == "host"
                        || headers.get_all(&field.name).any(|value| *value == field.value)
                );
            }
        }
    }
});
