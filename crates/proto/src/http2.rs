//! Frames of HTTP/2 (RFC 9113) and header blocks (RFC 7541): any frame, in any state, with any
//! field, as a test's server writes them; and the heads of requests, as strict as HTTP is.
//!
//! What a conforming connection sends is the business of the HTTP/2 library. What is here writes
//! whole frames between that library's, so it never touches the dynamic table: a block reads the
//! same whatever came before it.

mod frame;
mod hpack;
mod request;

pub use frame::{
    Flags, FrameHeader, HEADER_LENGTH, Kind, MIN_MAX_FRAME_SIZE, PREFACE, data, goaway, headers,
    push_promise, reset, window_update,
};
pub use hpack::{Block, DecodeError, Decoder, encode_block, encode_field};
pub use request::{Http2Head, Http2HeadError, check_trailers, parse_request};

/// Fields that speak of an HTTP/1 connection; a response over HTTP/2 has none (RFC 9113, section
/// 8.2.2).
pub const CONNECTION_FIELDS: [&[u8]; 5] =
    [b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"];
