//! A client's control stream (RFC 9114, section 6.2.1).

use bytes::BytesMut;

use super::{
    error::{Code, ConnectionError},
    frame::{Event, FrameDecoder, Kind},
    settings::Settings,
    varint,
};

/// What a client says of the connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Control {
    /// Its settings: once, before all else.
    Settings(Settings),
    /// It takes no pushes from this number on.
    GoAway(u64),
    /// It takes pushes up to this number.
    MaxPushId(u64),
}

/// Reads a client's control stream behind its type.
#[derive(Debug)]
pub struct ControlDecoder {
    frames: FrameDecoder,
    has_settings: bool,
    go_away: Option<u64>,
    max_push_id: Option<u64>,
}

impl Default for ControlDecoder {
    fn default() -> Self {
        Self {
            frames: FrameDecoder::new(MAX_PAYLOAD),
            has_settings: false,
            go_away: None,
            max_push_id: None,
        }
    }
}

impl ControlDecoder {
    /// What comes next; `None` while more bytes are needed.
    pub fn next(&mut self, buf: &mut BytesMut) -> Result<Option<Control>, ConnectionError> {
        let Some(event) = self.frames.next(buf)? else { return Ok(None) };
        let wrong = |code, reason| Err(ConnectionError::new(code, reason));
        let (kind, payload) = match event {
            Event::Frame(kind, payload) => (kind, payload),
            Event::Data(_) | Event::WebTransport(_) => (Kind::DATA, bytes::Bytes::new()),
        };
        if kind == Kind::SETTINGS {
            if self.has_settings {
                return wrong(Code::FRAME_UNEXPECTED, "SETTINGS were sent twice");
            }
            self.has_settings = true;
            return Ok(Some(Control::Settings(Settings::decode(&payload)?)));
        }
        if !self.has_settings {
            return wrong(Code::MISSING_SETTINGS, "a control stream does not begin with SETTINGS");
        }
        match kind {
            Kind::GOAWAY => {
                let number = number(&payload)?;
                if self.go_away.is_some_and(|last| number > last) {
                    return wrong(Code::ID_ERROR, "GOAWAY goes back on an earlier one");
                }
                self.go_away = Some(number);
                Ok(Some(Control::GoAway(number)))
            }
            Kind::MAX_PUSH_ID => {
                let number = number(&payload)?;
                if self.max_push_id.is_some_and(|last| number < last) {
                    return wrong(Code::ID_ERROR, "MAX_PUSH_ID goes back on an earlier one");
                }
                self.max_push_id = Some(number);
                Ok(Some(Control::MaxPushId(number)))
            }
            Kind::CANCEL_PUSH => {
                number(&payload)?;
                wrong(Code::ID_ERROR, "CANCEL_PUSH of a push that was not promised")
            }
            _ => wrong(Code::FRAME_UNEXPECTED, "a frame that a control stream cannot have"),
        }
    }
}

/// The number that is all of a payload.
fn number(payload: &[u8]) -> Result<u64, ConnectionError> {
    match varint::decode(payload) {
        Some((number, length)) if length == payload.len() => Ok(number),
        _ => Err(ConnectionError::new(Code::FRAME_ERROR, "a payload that is not one number")),
    }
}

/// Room for some thousand settings.
const MAX_PAYLOAD: u64 = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::{super::frame::encode_frame, *};

    const SETTINGS: (Kind, &[u8]) = (Kind::SETTINGS, b"\x33\x01");

    fn read(frames: &[(Kind, &[u8])]) -> Result<Vec<Control>, ConnectionError> {
        let mut bytes = Vec::new();
        for (kind, payload) in frames {
            encode_frame(*kind, payload, &mut bytes);
        }
        let (mut buf, mut found) = (BytesMut::from(&bytes[..]), Vec::new());
        let mut decoder = ControlDecoder::default();
        while let Some(control) = decoder.next(&mut buf)? {
            found.push(control);
        }
        Ok(found)
    }

    fn code(frames: &[(Kind, &[u8])]) -> Code {
        read(frames).unwrap_err().code
    }

    #[test]
    fn a_control_stream_begins_with_settings() {
        let frames =
            [SETTINGS, (Kind(0x21), b"?"), (Kind::MAX_PUSH_ID, b"\x07"), (Kind::GOAWAY, b"\0")];
        let expected = [
            Control::Settings(Settings::new([(0x33, 1)])),
            Control::MaxPushId(7),
            Control::GoAway(0),
        ];
        assert_eq!(read(&frames).unwrap(), expected);
        for kind in [Kind::GOAWAY, Kind::MAX_PUSH_ID, Kind::CANCEL_PUSH, Kind::DATA, Kind::HEADERS]
        {
            assert_eq!(code(&[(kind, b"\0")]), Code::MISSING_SETTINGS);
        }
    }

    #[test]
    fn frames_of_other_streams_are_refused() {
        for kind in [Kind::DATA, Kind::HEADERS, Kind::PUSH_PROMISE, Kind::SETTINGS] {
            assert_eq!(code(&[SETTINGS, (kind, b"")]), Code::FRAME_UNEXPECTED);
        }
    }

    #[test]
    fn numbers_do_not_go_back() {
        let twice = |kind, first, second| code(&[SETTINGS, (kind, first), (kind, second)]);
        assert_eq!(twice(Kind::GOAWAY, b"\x04", b"\x08"), Code::ID_ERROR);
        assert_eq!(twice(Kind::MAX_PUSH_ID, b"\x08", b"\x04"), Code::ID_ERROR);
        assert_eq!(code(&[SETTINGS, (Kind::CANCEL_PUSH, b"\0")]), Code::ID_ERROR);
        assert!(read(&[SETTINGS, (Kind::GOAWAY, b"\x08"), (Kind::GOAWAY, b"\x08")]).is_ok());
    }

    #[test]
    fn a_payload_is_one_number() {
        for kind in [Kind::GOAWAY, Kind::MAX_PUSH_ID, Kind::CANCEL_PUSH] {
            for payload in [&b""[..], b"\x40", b"\0\0"] {
                assert_eq!(code(&[SETTINGS, (kind, payload)]), Code::FRAME_ERROR);
            }
        }
    }
}
