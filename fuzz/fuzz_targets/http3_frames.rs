//! Frames of HTTP/3 on a request stream and on a control stream, with the settings.
//!
//! - What a stream brings is the same whether it comes in pieces or at once, and so is its error.
//! - A message that is read, written again, reads the same.
//! - Settings that are read, written again, read the same.
#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use proto::http3::{
    ConnectionError, Control, ControlDecoder, Kind, MessageDecoder, Part, encode_frame,
};

fuzz_target!(|data: &[u8]| {
    // The first byte is the length of the pieces.
    let Some((&first, data)) = data.split_first() else {
        return;
    };
    let size = usize::from(first) + 1;

    let (parts, error) = message(data, data.len().max(1));
    let (in_pieces, same_error) = message(data, size);
    assert_eq!((joined(&parts), error), (joined(&in_pieces), same_error));
    let mut again = Vec::new();
    for part in &parts {
        match part {
            Part::Head(section) | Part::Trailers(section) => {
                assert!(section.len() as u64 <= LIMIT);
                encode_frame(Kind::HEADERS, section, &mut again);
            }
            Part::Data(data) => encode_frame(Kind::DATA, data, &mut again),
            Part::WebTransport(_) => return,
        }
    }
    assert_eq!(message(&again, again.len().max(1)), (parts, None));

    let (found, error) = control(data, data.len().max(1));
    assert_eq!(control(data, size), (found, error));
});

const LIMIT: u64 = 4096;

fn message(data: &[u8], size: usize) -> (Vec<Part>, Option<ConnectionError>) {
    let mut decoder = MessageDecoder::new(LIMIT);
    let (mut buf, mut parts) = (BytesMut::new(), Vec::new());
    for piece in data.chunks(size) {
        buf.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buf) {
                Ok(Some(part)) => {
                    let ends = matches!(part, Part::WebTransport(_));
                    parts.push(part);
                    if ends {
                        return (parts, None);
                    }
                }
                Ok(None) => break,
                Err(error) => return (parts, Some(error)),
            }
        }
    }
    (parts, None)
}

/// The parts without regard to how the content was cut.
fn joined(parts: &[Part]) -> (Vec<&Bytes>, Vec<u8>, Option<u64>) {
    let (mut sections, mut content, mut session) = (Vec::new(), Vec::new(), None);
    for part in parts {
        match part {
            Part::Head(section) | Part::Trailers(section) => sections.push(section),
            Part::Data(data) => content.extend_from_slice(data),
            Part::WebTransport(number) => session = Some(*number),
        }
    }
    (sections, content, session)
}

fn control(data: &[u8], size: usize) -> (Vec<Control>, Option<ConnectionError>) {
    let mut decoder = ControlDecoder::default();
    let (mut buf, mut found) = (BytesMut::new(), Vec::new());
    for piece in data.chunks(size) {
        buf.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buf) {
                Ok(Some(control)) => {
                    if let Control::Settings(settings) = &control {
                        let mut payload = Vec::new();
                        settings.encode(&mut payload);
                        assert_eq!(proto::http3::Settings::decode(&payload).as_ref(), Ok(settings));
                    }
                    found.push(control);
                }
                Ok(None) => break,
                Err(error) => return (found, Some(error)),
            }
        }
    }
    (found, None)
}
