//! Settings (RFC 9114, section 7.2.4).

use super::{
    error::{Code, ConnectionError},
    varint,
};

/// What one side says of itself, once, at the start of its control stream: identifiers and values
/// in the order in which they were sent. Those that nobody knows are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(Vec<(u64, u64)>);

/// The largest dynamic table of QPACK that the peer may use, in bytes (RFC 9204, section 5).
pub const QPACK_MAX_TABLE_CAPACITY: u64 = 0x1;
/// The largest field section that is taken, in bytes.
pub const MAX_FIELD_SECTION_SIZE: u64 = 0x6;
/// How many streams may wait for the dynamic table (RFC 9204, section 5).
pub const QPACK_BLOCKED_STREAMS: u64 = 0x7;
/// Whether extended CONNECT is served (RFC 9220, section 3).
pub const ENABLE_CONNECT_PROTOCOL: u64 = 0x8;
/// Whether HTTP datagrams are taken (RFC 9297, section 2.1.1).
pub const H3_DATAGRAM: u64 = 0x33;
/// Whether HTTP datagrams are taken, in the fourth draft.
pub const H3_DATAGRAM_DRAFT_04: u64 = 0xff_d277;
/// Whether WebTransport is served, in the second draft.
pub const ENABLE_WEBTRANSPORT_DRAFT_02: u64 = 0x2b60_3742;
/// How many sessions of WebTransport there may be, in the seventh draft.
pub const WEBTRANSPORT_MAX_SESSIONS_DRAFT_07: u64 = 0xc671_706a;
/// How many sessions of WebTransport there may be, in the thirteenth draft.
pub const WEBTRANSPORT_MAX_SESSIONS_DRAFT_13: u64 = 0x14e9_cd29;

impl Settings {
    /// These settings.
    pub fn new(settings: impl IntoIterator<Item = (u64, u64)>) -> Self {
        Self(settings.into_iter().collect())
    }

    /// The value of a setting; `None` when it was not sent.
    pub fn get(&self, identifier: u64) -> Option<u64> {
        self.0.iter().find(|(known, _)| *known == identifier).map(|(_, value)| *value)
    }

    /// Whether a setting was sent as 1, or as more.
    pub fn is_on(&self, identifier: u64) -> bool {
        self.get(identifier).is_some_and(|value| value > 0)
    }

    /// Reads the payload of a SETTINGS frame.
    pub fn decode(mut payload: &[u8]) -> Result<Self, ConnectionError> {
        let mut settings = Self::default();
        while !payload.is_empty() {
            let (Some(identifier), Some(value)) =
                (varint::take(&mut payload), varint::take(&mut payload))
            else {
                return Err(ConnectionError::new(
                    Code::FRAME_ERROR,
                    "a SETTINGS frame ends within a setting",
                ));
            };
            let wrong = |reason| Err(ConnectionError::new(Code::SETTINGS_ERROR, reason));
            match identifier {
                0x0 | 0x2..=0x5 => return wrong("a setting of HTTP/2 that HTTP/3 reserves"),
                ENABLE_CONNECT_PROTOCOL | H3_DATAGRAM if value > 1 => {
                    return wrong("a setting that is neither 0 nor 1");
                }
                _ if settings.get(identifier).is_some() => {
                    return wrong("a setting that was sent twice");
                }
                _ => settings.0.push((identifier, value)),
            }
        }
        Ok(settings)
    }

    /// Appends the payload of a SETTINGS frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for &(identifier, value) in &self.0 {
            varint::encode(identifier, out);
            varint::encode(value, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(payload: &[u8]) -> Code {
        Settings::decode(payload).unwrap_err().code
    }

    #[test]
    fn settings_are_found_by_their_identifiers() {
        let settings = Settings::decode(b"\x06\x44\x00\x33\x01\x21\x05").unwrap();
        assert_eq!(settings.get(MAX_FIELD_SECTION_SIZE), Some(1024));
        assert!(settings.is_on(H3_DATAGRAM));
        assert!(!settings.is_on(ENABLE_CONNECT_PROTOCOL));
        assert_eq!(settings.get(0x21), Some(5));
        assert_eq!(Settings::decode(b""), Ok(Settings::default()));
    }

    #[test]
    fn what_rfc_9114_forbids() {
        for reserved in [0x0, 0x2, 0x3, 0x4, 0x5] {
            assert_eq!(code(&[reserved, 0]), Code::SETTINGS_ERROR);
        }
        assert_eq!(code(b"\x06\x01\x06\x01"), Code::SETTINGS_ERROR);
        assert_eq!(code(b"\x21\x01\x21\x02"), Code::SETTINGS_ERROR);
        assert_eq!(code(b"\x08\x02"), Code::SETTINGS_ERROR);
        assert_eq!(code(b"\x33\x02"), Code::SETTINGS_ERROR);
        assert_eq!(code(b"\x06"), Code::FRAME_ERROR);
        assert_eq!(code(b"\x06\x44"), Code::FRAME_ERROR);
    }

    proptest! {
        #[test]
        fn settings_come_back(
            settings in prop::collection::btree_map(0x40..=varint::MAX, 0..=varint::MAX, 0..8),
        ) {
            let settings = Settings::new(settings);
            let mut payload = Vec::new();
            settings.encode(&mut payload);
            prop_assert_eq!(Settings::decode(&payload), Ok(settings));
        }
    }
}
