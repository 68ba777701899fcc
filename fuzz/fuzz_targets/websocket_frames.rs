//! WebSocket frames, and the messages that they make up.
//!
//! - Frames are the same whether they come in pieces or at once, and so are the messages.
//! - A frame, encoded anew, is decoded as the same frame.
//! - What is text is UTF-8, and no message is longer than the limit.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use proto::websocket::{
    Assembler, CloseStatus, Frame, FrameDecoder, FrameError, Message, MessageError,
    MessageInflater, handshake,
};

fuzz_target!(|data: &[u8]| {
    // The first byte: the length of the pieces, and whether messages may be compressed.
    let Some((&first, data)) = data.split_first() else {
        return;
    };
    let (piece, compression) = (usize::from(first >> 1) + 1, first & 1 == 1);
    let at_once = decode(&[data]);
    let pieces: Vec<&[u8]> = data.chunks(piece).collect();
    let in_pieces = decode(&pieces);
    assert_eq!(at_once, in_pieces);
    for frame in &at_once.0 {
        again(frame);
    }
    assemble(at_once.0, compression);
    let _ = handshake::parse_tokens(data);
    if let Ok(extensions) = handshake::parse_extensions(data) {
        let written = handshake::format_extensions(&extensions);
        assert_eq!(handshake::parse_extensions(&written).as_ref(), Ok(&extensions));
    }
});

const DECODER: FrameDecoder = FrameDecoder { masked: true, max_payload: LIMIT as u64 };
const LIMIT: usize = 4096;

fn decode(pieces: &[&[u8]]) -> (Vec<Frame>, Option<FrameError>) {
    let mut buf = BytesMut::new();
    let mut frames = Vec::new();
    for piece in pieces {
        buf.extend_from_slice(piece);
        loop {
            match DECODER.decode(&mut buf) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

fn again(frame: &Frame) {
    let mut bytes = Vec::new();
    frame.header.encode(&frame.payload, Some(*b"mask"), &mut bytes);
    let mut buf = BytesMut::from(&bytes[..]);
    assert_eq!(DECODER.decode(&mut buf).as_ref(), Ok(&Some(frame.clone())));
    assert!(buf.is_empty());
}

fn assemble(frames: Vec<Frame>, compression: bool) {
    let mut assembler = Assembler::new(LIMIT, true);
    let mut inflater = compression.then(MessageInflater::default);
    for frame in frames {
        match assembler.push(frame, inflater.as_mut()) {
            Ok(Some(Message::Text(text))) => {
                assert!(text.len() <= LIMIT && std::str::from_utf8(&text).is_ok());
            }
            Ok(Some(Message::Binary(data))) => assert!(data.len() <= LIMIT),
            Ok(Some(Message::Close(body))) => {
                if let Ok(Some(status)) = CloseStatus::parse(&body) {
                    assert_eq!(status.reason.len() + 2, body.len());
                }
            }
            Ok(Some(Message::Ping(data) | Message::Pong(data))) => assert!(data.len() <= 125),
            Ok(None) => {}
            Err(error) => assert!(compression || error != MessageError::Corrupt),
        }
    }
}
