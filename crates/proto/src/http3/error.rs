//! Error codes of HTTP/3, and errors that end a connection with one.

use std::fmt::{self, Display};

use thiserror::Error;

/// An error code of HTTP/3 (RFC 9114, section 8.1), QPACK (RFC 9204, section 6), HTTP datagrams
/// (RFC 9297, section 5.2) or WebTransport, with which a stream is reset or a connection closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code(pub u64);

/// What is malformed, and the code that the connection is to be closed with.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{reason} ({code})")]
pub struct ConnectionError {
    /// The code.
    pub code: Code,
    /// What the peer did.
    pub reason: &'static str,
}

impl ConnectionError {
    pub(super) fn new(code: Code, reason: &'static str) -> Self {
        Self { code, reason }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        impl Code {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// The code's name in its specification.
            pub fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($text),)*
                    Self(_) => None,
                }
            }
        }
    };
}

codes! {
    /// A malformed HTTP datagram.
    DATAGRAM_ERROR = 0x33, "H3_DATAGRAM_ERROR";
    /// Nothing is wrong: a close or a reset without an error.
    NO_ERROR = 0x100, "H3_NO_ERROR";
    /// A breach of the protocol that no other code names.
    GENERAL_PROTOCOL_ERROR = 0x101, "H3_GENERAL_PROTOCOL_ERROR";
    /// A fault of this side.
    INTERNAL_ERROR = 0x102, "H3_INTERNAL_ERROR";
    /// A stream that is not accepted.
    STREAM_CREATION_ERROR = 0x103, "H3_STREAM_CREATION_ERROR";
    /// A stream that must stay open was closed.
    CLOSED_CRITICAL_STREAM = 0x104, "H3_CLOSED_CRITICAL_STREAM";
    /// A frame that is not allowed where it came.
    FRAME_UNEXPECTED = 0x105, "H3_FRAME_UNEXPECTED";
    /// A frame of the wrong size or layout.
    FRAME_ERROR = 0x106, "H3_FRAME_ERROR";
    /// The peer costs too much.
    EXCESSIVE_LOAD = 0x107, "H3_EXCESSIVE_LOAD";
    /// An identifier that is out of range or was used before.
    ID_ERROR = 0x108, "H3_ID_ERROR";
    /// A SETTINGS frame with wrong content.
    SETTINGS_ERROR = 0x109, "H3_SETTINGS_ERROR";
    /// A control stream that does not begin with SETTINGS.
    MISSING_SETTINGS = 0x10a, "H3_MISSING_SETTINGS";
    /// The request was not processed.
    REQUEST_REJECTED = 0x10b, "H3_REQUEST_REJECTED";
    /// The request or its response is no longer wanted.
    REQUEST_CANCELLED = 0x10c, "H3_REQUEST_CANCELLED";
    /// The request ended before it was complete.
    REQUEST_INCOMPLETE = 0x10d, "H3_REQUEST_INCOMPLETE";
    /// A malformed message.
    MESSAGE_ERROR = 0x10e, "H3_MESSAGE_ERROR";
    /// A CONNECT whose target was lost.
    CONNECT_ERROR = 0x10f, "H3_CONNECT_ERROR";
    /// What is asked for is not served over HTTP/3.
    VERSION_FALLBACK = 0x110, "H3_VERSION_FALLBACK";
    /// A field section that cannot be read.
    QPACK_DECOMPRESSION_FAILED = 0x200, "QPACK_DECOMPRESSION_FAILED";
    /// An instruction of the encoder's stream that cannot be carried out.
    QPACK_ENCODER_STREAM_ERROR = 0x201, "QPACK_ENCODER_STREAM_ERROR";
    /// An instruction of the decoder's stream that cannot be carried out.
    QPACK_DECODER_STREAM_ERROR = 0x202, "QPACK_DECODER_STREAM_ERROR";
    /// A stream or datagram came too long before its WebTransport session.
    WEBTRANSPORT_BUFFERED_STREAM_REJECTED = 0x3994_bd84, "WEBTRANSPORT_BUFFERED_STREAM_REJECTED";
    /// The WebTransport session of a stream is over.
    WEBTRANSPORT_SESSION_GONE = 0x170d_7b68, "WEBTRANSPORT_SESSION_GONE";
}

impl Code {
    /// The code that carries an application's error code of WebTransport. The numbers that HTTP/3
    /// reserves for greasing lie between, and are left out.
    pub fn of_webtransport(application: u32) -> Self {
        let application = u64::from(application);
        Self(FIRST + application + application / 0x1e)
    }

    /// The application's error code of WebTransport that this code carries, if it carries one.
    pub fn webtransport(self) -> Option<u32> {
        let Self(code) = self;
        if !(FIRST..=LAST).contains(&code) || code % 0x1f == RESERVED {
            return None;
        }
        let shifted = code - FIRST;
        u32::try_from(shifted - shifted / 0x1f).ok()
    }
}

/// The range of codes for applications of WebTransport.
const FIRST: u64 = 0x52e4_a40f_a8db;
const LAST: u64 = 0x52e5_ac98_3162;
/// A reserved code is 0x21 more than a multiple of 0x1f (RFC 9114, section 8.1).
const RESERVED: u64 = 0x21 % 0x1f;

impl Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_range_for_webtransport_ends_where_the_draft_says() {
        assert_eq!(Code::of_webtransport(0).0, FIRST);
        assert_eq!(Code::of_webtransport(u32::MAX).0, LAST);
        assert_eq!(Code(FIRST - 1).webtransport(), None);
        assert_eq!(Code(LAST + 1).webtransport(), None);
        assert_eq!(Code::NO_ERROR.webtransport(), None);
    }

    #[test]
    fn a_code_is_shown_by_its_name() {
        assert_eq!(Code(0x105).to_string(), "H3_FRAME_UNEXPECTED");
        assert_eq!(Code(0xabc).to_string(), "0xabc");
    }

    proptest! {
        #[test]
        fn an_application_code_comes_back(code: u32) {
            let carried = Code::of_webtransport(code);
            prop_assert_eq!(carried.webtransport(), Some(code));
            prop_assert_ne!((carried.0 - 0x21) % 0x1f, 0);
        }

        #[test]
        fn a_code_carries_at_most_one(code in FIRST..=LAST) {
            if let Some(application) = Code(code).webtransport() {
                prop_assert_eq!(Code::of_webtransport(application), Code(code));
            }
        }
    }
}
