//! The order of frames on a request stream (RFC 9114, section 4.1).

use bytes::{Bytes, BytesMut};

use super::{
    error::{Code, ConnectionError},
    frame::{Event, FrameDecoder, Kind},
};

/// What a request stream brings, in order: a head, content, trailers.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// The field section of the head.
    Head(Bytes),
    /// The next bytes of the content.
    Data(Bytes),
    /// The field section of the trailers.
    Trailers(Bytes),
    /// The stream is a bidirectional stream of the WebTransport session of this number.
    WebTransport(u64),
}

/// Reads a client's half of a request stream.
#[derive(Debug)]
pub struct MessageDecoder {
    frames: FrameDecoder,
    next: Next,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Head,
    Content,
    /// Nothing but frames that nobody knows.
    Nothing,
}

impl MessageDecoder {
    /// A request whose field sections have at most `max_section` bytes each; the stream may also
    /// turn out to be one of WebTransport.
    pub fn new(max_section: u64) -> Self {
        Self { frames: FrameDecoder::new(max_section).or_webtransport(), next: Next::Head }
    }

    /// What comes next; `None` while more bytes are needed.
    pub fn next(&mut self, buf: &mut BytesMut) -> Result<Option<Part>, ConnectionError> {
        let Some(event) = self.frames.next(buf)? else { return Ok(None) };
        let unexpected = |reason| Err(ConnectionError::new(Code::FRAME_UNEXPECTED, reason));
        let part = match (event, self.next) {
            (Event::Frame(Kind::HEADERS, section), Next::Head) => {
                self.next = Next::Content;
                Part::Head(section)
            }
            (Event::Frame(Kind::HEADERS, section), Next::Content) => {
                self.next = Next::Nothing;
                Part::Trailers(section)
            }
            (Event::Data(data), Next::Content) => Part::Data(data),
            (Event::WebTransport(session), _) => Part::WebTransport(session),
            (Event::Data(_), Next::Head) => return unexpected("content before a head"),
            (Event::Data(_) | Event::Frame(Kind::HEADERS, _), Next::Nothing) => {
                return unexpected("a frame after the trailers");
            }
            // A client makes no promises, and the others belong to the control stream.
            (Event::Frame(..), _) => {
                return unexpected("a frame that a request stream cannot have");
            }
        };
        Ok(Some(part))
    }

    /// What it means that the client ended the stream here: whether the request is complete.
    pub fn end(&self) -> Result<bool, ConnectionError> {
        if !self.frames.is_between_frames() {
            return Err(ConnectionError::new(Code::FRAME_ERROR, "a stream ends within a frame"));
        }
        Ok(self.next != Next::Head)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::frame::encode_frame, *};

    fn read(frames: &[(Kind, &[u8])]) -> Result<Vec<Part>, ConnectionError> {
        let mut bytes = Vec::new();
        for (kind, payload) in frames {
            encode_frame(*kind, payload, &mut bytes);
        }
        let (mut buf, mut parts) = (BytesMut::from(&bytes[..]), Vec::new());
        let mut decoder = MessageDecoder::new(100);
        while let Some(part) = decoder.next(&mut buf)? {
            parts.push(part);
        }
        assert_eq!(decoder.end(), Ok(!parts.is_empty()));
        Ok(parts)
    }

    fn code(frames: &[(Kind, &[u8])]) -> Code {
        read(frames).unwrap_err().code
    }

    const UNKNOWN: Kind = Kind(0x21);

    #[test]
    fn a_message_is_a_head_content_and_trailers() {
        let frames: [(Kind, &[u8]); 6] = [
            (UNKNOWN, b"?"),
            (Kind::HEADERS, b"head"),
            (Kind::DATA, b"a"),
            (UNKNOWN, b"?"),
            (Kind::DATA, b"b"),
            (Kind::HEADERS, b"trailers"),
        ];
        let expected = [
            Part::Head(Bytes::from_static(b"head")),
            Part::Data(Bytes::from_static(b"a")),
            Part::Data(Bytes::from_static(b"b")),
            Part::Trailers(Bytes::from_static(b"trailers")),
        ];
        assert_eq!(read(&frames).unwrap(), expected);
        assert_eq!(read(&frames[..1]), Ok(Vec::new()));
    }

    #[test]
    fn frames_in_another_order_are_refused() {
        let (head, data) = ((Kind::HEADERS, &b"h"[..]), (Kind::DATA, &b"d"[..]));
        assert_eq!(code(&[data]), Code::FRAME_UNEXPECTED);
        assert_eq!(code(&[head, head, data]), Code::FRAME_UNEXPECTED);
        assert_eq!(code(&[head, head, head]), Code::FRAME_UNEXPECTED);
    }

    #[test]
    fn frames_of_other_streams_are_refused() {
        for kind in
            [Kind::SETTINGS, Kind::GOAWAY, Kind::CANCEL_PUSH, Kind::MAX_PUSH_ID, Kind::PUSH_PROMISE]
        {
            assert_eq!(code(&[(kind, b"\x01")]), Code::FRAME_UNEXPECTED);
            assert_eq!(code(&[(Kind::HEADERS, b""), (kind, b"\x01")]), Code::FRAME_UNEXPECTED);
        }
    }

    #[test]
    fn a_cut_frame_is_an_error() {
        let mut decoder = MessageDecoder::new(100);
        let mut buf = BytesMut::from(&b"\x01\x04he"[..]);
        assert_eq!(decoder.next(&mut buf), Ok(None));
        assert_eq!(decoder.end().unwrap_err().code, Code::FRAME_ERROR);
    }
}
