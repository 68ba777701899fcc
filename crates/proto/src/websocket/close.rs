//! The body of a close frame (RFC 6455, section 5.5.1).

use thiserror::Error;

/// Why a peer closes: a code and a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseStatus<'a> {
    /// The code.
    pub code: u16,
    /// The reason, for people.
    pub reason: &'a str,
}

/// Why the body of a close frame is none.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CloseError {
    /// A code has two bytes.
    #[error("the body of a close frame has one byte")]
    OneByte,
    /// The code may not be sent.
    #[error("the close code {0} is not one that may be sent")]
    BadCode(u16),
    /// The reason is text.
    #[error("the reason of a close frame is not UTF-8")]
    NotUtf8,
}

impl<'a> CloseStatus<'a> {
    /// Reads the body of a close frame; `None` when it is empty.
    pub fn parse(body: &'a [u8]) -> Result<Option<Self>, CloseError> {
        let (code, reason) = match body {
            [] => return Ok(None),
            [_] => return Err(CloseError::OneByte),
            [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        };
        if !is_sendable(code) {
            return Err(CloseError::BadCode(code));
        }
        let reason = std::str::from_utf8(reason).map_err(|_| CloseError::NotUtf8)?;
        Ok(Some(Self { code, reason }))
    }
}

/// Whether a code may stand in a close frame (RFC 6455, section 7.4, and IANA's registry).
pub fn is_sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_a_code_and_a_reason() {
        assert_eq!(CloseStatus::parse(b""), Ok(None));
        assert_eq!(CloseStatus::parse(b"\x03"), Err(CloseError::OneByte));
        let status = CloseStatus { code: 1000, reason: "a\u{e9}" };
        assert_eq!(CloseStatus::parse(b"\x03\xe8a\xc3\xa9"), Ok(Some(status)));
        assert_eq!(CloseStatus::parse(b"\x03\xe8\xff"), Err(CloseError::NotUtf8));
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535_u16] {
            assert_eq!(CloseStatus::parse(&code.to_be_bytes()), Err(CloseError::BadCode(code)));
        }
        for code in [1000, 1003, 1007, 1011, 1014, 3000, 4999_u16] {
            assert!(CloseStatus::parse(&code.to_be_bytes()).unwrap().is_some());
        }
    }
}
