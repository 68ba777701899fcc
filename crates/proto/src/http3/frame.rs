//! Frames (RFC 9114, section 7), which are read as their bytes come.

use bytes::{Buf, Bytes, BytesMut};

use super::{
    error::{Code, ConnectionError},
    varint,
};

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(pub u64);

impl Kind {
    /// Content of a message.
    pub const DATA: Self = Self(0x0);
    /// A field section.
    pub const HEADERS: Self = Self(0x1);
    /// Gives a push up.
    pub const CANCEL_PUSH: Self = Self(0x3);
    /// Says what one side can do.
    pub const SETTINGS: Self = Self(0x4);
    /// Promises a push.
    pub const PUSH_PROMISE: Self = Self(0x5);
    /// Ends the connection in an orderly way.
    pub const GOAWAY: Self = Self(0x7);
    /// Allows pushes.
    pub const MAX_PUSH_ID: Self = Self(0xd);
    /// Makes the rest of its stream one of a WebTransport session, which stands in place of its
    /// length.
    pub const WEBTRANSPORT_STREAM: Self = Self(0x41);

    /// Whether it is a frame of HTTP/2 that has no place in HTTP/3 (section 7.2.8).
    fn is_forbidden(self) -> bool {
        matches!(self.0, 0x2 | 0x6 | 0x8 | 0x9)
    }

    /// Whether this version gives it a meaning.
    fn is_known(self) -> bool {
        matches!(
            self,
            Self::DATA
                | Self::HEADERS
                | Self::CANCEL_PUSH
                | Self::SETTINGS
                | Self::PUSH_PROMISE
                | Self::GOAWAY
                | Self::MAX_PUSH_ID
        )
    }
}

/// Appends a frame.
pub fn encode_frame(kind: Kind, payload: &[u8], out: &mut Vec<u8>) {
    encode_header(kind, payload.len() as u64, out);
    out.extend_from_slice(payload);
}

/// Appends what stands in front of a frame's payload.
pub fn encode_header(kind: Kind, length: u64, out: &mut Vec<u8>) {
    varint::encode(kind.0, out);
    varint::encode(length, out);
}

/// What a stream of frames brings.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A frame with its whole payload.
    Frame(Kind, Bytes),
    /// The next bytes of a DATA frame; none when the frame has none.
    Data(Bytes),
    /// The rest of the stream is a bidirectional stream of the WebTransport session of this number.
    WebTransport(u64),
}

/// Takes frames off a buffer. Those of kinds that nobody knows are passed over.
#[derive(Debug)]
pub struct FrameDecoder {
    state: State,
    /// The longest payload of a frame that is read whole.
    max_payload: u64,
    /// Whether the stream may turn out to be one of WebTransport: only its very first frame says so.
    may_be_webtransport: bool,
}

#[derive(Debug)]
enum State {
    /// A frame begins.
    Header,
    /// A frame that is read whole.
    Payload { kind: Kind, length: u64 },
    /// A DATA frame, with so many bytes to come.
    Data { left: u64 },
    /// A frame that is passed over, with so many bytes to come.
    Skipped { left: u64 },
}

impl FrameDecoder {
    /// Frames whose payload, but for DATA, is at most `max_payload` bytes.
    pub fn new(max_payload: u64) -> Self {
        Self { state: State::Header, max_payload, may_be_webtransport: false }
    }

    /// The same for a bidirectional stream, which may be one of WebTransport.
    #[must_use]
    pub fn or_webtransport(mut self) -> Self {
        self.may_be_webtransport = true;
        self
    }

    /// Whether the stream may end here: between two frames.
    pub fn is_between_frames(&self) -> bool {
        matches!(self.state, State::Header)
    }

    /// What comes next; `None` while more bytes are needed. Nothing can be read after an error.
    pub fn next(&mut self, buf: &mut BytesMut) -> Result<Option<Event>, ConnectionError> {
        loop {
            match self.state {
                State::Header => {
                    let Some(event) = self.header(buf)? else { return Ok(None) };
                    match event {
                        Begun::Frame(state) => self.state = state,
                        Begun::WebTransport(session) => {
                            return Ok(Some(Event::WebTransport(session)));
                        }
                    }
                }
                State::Payload { kind, length } => {
                    // It is at most the longest payload, so it fits.
                    let Ok(length) = usize::try_from(length) else { return Ok(None) };
                    if buf.len() < length {
                        return Ok(None);
                    }
                    self.state = State::Header;
                    return Ok(Some(Event::Frame(kind, buf.split_to(length).freeze())));
                }
                State::Data { left } => {
                    let data = take_at_most(buf, left);
                    if data.is_empty() && left > 0 {
                        return Ok(None);
                    }
                    let left = left - data.len() as u64;
                    self.state = if left == 0 { State::Header } else { State::Data { left } };
                    return Ok(Some(Event::Data(data)));
                }
                State::Skipped { left } => {
                    let left = left - take_at_most(buf, left).len() as u64;
                    if left > 0 {
                        self.state = State::Skipped { left };
                        return Ok(None);
                    }
                    self.state = State::Header;
                }
            }
        }
    }

    fn header(&mut self, buf: &mut BytesMut) -> Result<Option<Begun>, ConnectionError> {
        let mut rest = &buf[..];
        let (Some(kind), Some(length)) = (varint::take(&mut rest), varint::take(&mut rest)) else {
            return Ok(None);
        };
        let kind = Kind(kind);
        let begun = if kind == Kind::WEBTRANSPORT_STREAM && self.may_be_webtransport {
            Begun::WebTransport(length)
        } else if kind == Kind::DATA {
            Begun::Frame(State::Data { left: length })
        } else if kind.is_forbidden() {
            let reason = "a frame of HTTP/2 that HTTP/3 reserves";
            return Err(ConnectionError::new(Code::FRAME_UNEXPECTED, reason));
        } else if !kind.is_known() {
            Begun::Frame(State::Skipped { left: length })
        } else if length > self.max_payload {
            let reason = "a frame that is longer than is taken";
            return Err(ConnectionError::new(Code::EXCESSIVE_LOAD, reason));
        } else {
            Begun::Frame(State::Payload { kind, length })
        };
        buf.advance(buf.len() - rest.len());
        self.may_be_webtransport = false;
        Ok(Some(begun))
    }
}

/// How a frame begins.
enum Begun {
    Frame(State),
    WebTransport(u64),
}

fn take_at_most(buf: &mut BytesMut, length: u64) -> Bytes {
    let length = usize::try_from(length).map_or(buf.len(), |length| length.min(buf.len()));
    buf.split_to(length).freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(kind: Kind, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        encode_frame(kind, payload, &mut out);
        out
    }

    /// Everything that a stream brings, which comes in pieces of `size` bytes.
    fn read(
        decoder: &mut FrameDecoder,
        bytes: &[u8],
        size: usize,
    ) -> Result<Vec<Event>, ConnectionError> {
        let (mut buf, mut events) = (BytesMut::new(), Vec::new());
        for piece in bytes.chunks(size) {
            buf.extend_from_slice(piece);
            while let Some(event) = decoder.next(&mut buf)? {
                events.push(event);
            }
        }
        Ok(events)
    }

    #[test]
    fn frames_come_whole_and_data_as_it_comes() {
        let mut bytes = frame(Kind::HEADERS, b"head");
        bytes.extend(frame(Kind(0x21), b"grease"));
        bytes.extend(frame(Kind::DATA, b"data"));
        bytes.extend(frame(Kind::DATA, b""));
        let mut decoder = FrameDecoder::new(100);
        let events = read(&mut decoder, &bytes, usize::MAX).unwrap();
        let head = Event::Frame(Kind::HEADERS, Bytes::from_static(b"head"));
        let data = |data| Event::Data(Bytes::from_static(data));
        assert_eq!(events, [head, data(b"data"), data(b"")]);
        assert!(decoder.is_between_frames());

        let mut decoder = FrameDecoder::new(100);
        let events = read(&mut decoder, &bytes[..bytes.len() - 3], 1).unwrap();
        assert_eq!(events.len(), 4);
        assert!(!decoder.is_between_frames());
    }

    #[test]
    fn frames_of_http2_are_refused() {
        for kind in [0x2, 0x6, 0x8, 0x9] {
            let error = read(&mut FrameDecoder::new(100), &frame(Kind(kind), b""), 9).unwrap_err();
            assert_eq!(error.code, Code::FRAME_UNEXPECTED);
        }
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_before_it_comes() {
        let mut bytes = Vec::new();
        encode_header(Kind::HEADERS, 101, &mut bytes);
        let error = read(&mut FrameDecoder::new(100), &bytes, 9).unwrap_err();
        assert_eq!(error.code, Code::EXCESSIVE_LOAD);
        // What is passed over takes no room.
        bytes.clear();
        encode_header(Kind(0x21), varint::MAX, &mut bytes);
        assert_eq!(read(&mut FrameDecoder::new(100), &bytes, 9), Ok(Vec::new()));
    }

    #[test]
    fn only_the_first_frame_makes_a_stream_one_of_webtransport() {
        let opening = b"\x40\x41\x04";
        let mut decoder = FrameDecoder::new(100).or_webtransport();
        assert_eq!(read(&mut decoder, opening, 1), Ok(vec![Event::WebTransport(4)]));
        // Elsewhere it is a frame of a kind that nobody knows.
        let mut bytes = frame(Kind::DATA, b"");
        bytes.extend_from_slice(opening);
        let mut decoder = FrameDecoder::new(100).or_webtransport();
        assert_eq!(read(&mut decoder, &bytes, 1), Ok(vec![Event::Data(Bytes::new())]));
        assert!(!decoder.is_between_frames());
        assert_eq!(read(&mut FrameDecoder::new(100), opening, 1), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn frames_come_back_however_they_are_cut(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..8),
            size in 1_usize..20,
        ) {
            let mut bytes = Vec::new();
            for payload in &payloads {
                bytes.extend(frame(Kind::HEADERS, payload));
                bytes.extend(frame(Kind::DATA, payload));
            }
            let events = read(&mut FrameDecoder::new(100), &bytes, size).unwrap();
            let (mut whole, mut data) = (Vec::new(), Vec::new());
            for event in events {
                match event {
                    Event::Frame(Kind::HEADERS, payload) => whole.push(payload.to_vec()),
                    Event::Data(piece) => data.extend(piece),
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            prop_assert_eq!(data, payloads.concat());
            prop_assert_eq!(whole, payloads);
        }

        #[test]
        fn any_bytes_are_read_to_their_end(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            size in 1_usize..20,
        ) {
            let _read = read(&mut FrameDecoder::new(100).or_webtransport(), &bytes, size);
        }
    }
}
