//! The request head, and what is read from a head alone.
//!
//! - A head that arrives in pieces ends as the whole one does.
//! - A head that was taken, written anew, is read as the same head.
//! - A body whose end is known in HTTP/1.0 has a length or is not there.
#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use proto::{BodyFraming, HeadError, HeadParser, RequestHead, Version, parse_request_head};

fuzz_target!(|data: &[u8]| {
    // The first byte says how long the pieces are.
    let Some((&step, input)) = data.split_first() else {
        return;
    };
    let mut rest = BytesMut::from(input);
    let whole = parse_request_head(&mut rest);
    let pieced = in_pieces(input, usize::from(step).max(1));
    match (whole, pieced) {
        (Ok(Some(head)), Ok(Some((same, taken)))) => {
            assert_eq!(head, same);
            assert_eq!(taken, input.len() - rest.len());
            check(&head);
        }
        (Ok(None), Ok(None)) => assert_eq!(&rest[..], input),
        // The whole is refused at once; pieces may still wait for the head's end.
        (Err(_), Err(_) | Ok(None)) => {}
        (whole, pieced) => panic!("{whole:?} as a whole, {pieced:?} in pieces"),
    }
});

fn in_pieces(input: &[u8], step: usize) -> Result<Option<(RequestHead, usize)>, HeadError> {
    let mut parser = HeadParser::new();
    let mut buf = BytesMut::new();
    let mut fed = 0;
    for piece in input.chunks(step) {
        buf.extend_from_slice(piece);
        fed += piece.len();
        if let Some(head) = parser.parse(&mut buf)? {
            return Ok(Some((head, fed - buf.len())));
        }
        assert_eq!(buf.len(), fed);
    }
    Ok(None)
}

fn check(head: &RequestHead) {
    assert!(head.request_line.ends_with(b"\n"));
    assert!(head.headers.len() <= proto::request_head::MAX_FIELDS);

    let framing = BodyFraming::of(&head.headers, head.version);
    if head.version == Version::Http10 {
        assert_ne!(framing, Ok(BodyFraming::Chunked));
    }
    let _ = proto::framing::keeps_alive(head.version, &head.headers);
    let _ = proto::framing::expects_continue(head.version, &head.headers);
    let decoded = proto::percent::decode(&head.target.path);
    assert!(decoded.len() <= head.target.path.len());

    let mut written = [&head.method[..], b" ", &head.raw_target[..], b" "].concat();
    written.extend_from_slice(match head.version {
        Version::Http10 => b"HTTP/1.0\r\n",
        Version::Http11 => b"HTTP/1.1\r\n",
        Version::Http2 => panic!("a head of HTTP/1 has no such version"),
    });
    let request_line = Bytes::copy_from_slice(&written);
    for field in &head.headers {
        proto::response_head::encode_field(&mut written, &field.name, &field.value);
    }
    written.extend_from_slice(b"\r\n");
    let mut buf = BytesMut::from(&written[..]);
    let again = parse_request_head(&mut buf);
    let expected = RequestHead { request_line, ..head.clone() };
    // A line ending in LF alone may have been one byte below the limit.
    if written.len() <= proto::request_head::MAX_LINE {
        assert_eq!(again, Ok(Some(expected)));
        assert!(buf.is_empty());
    }
}
