//! HTTP/3 (RFC 9114) and WebTransport over it: frames, field sections, settings, capsules and error
//! codes, without a connection that they belong to.
//!
//! What a stream brings is read as it comes; each error says with which code a connection is to be
//! closed. What is written is any frame with any field, as a test's server writes them.

mod capsule;
mod control;
mod error;
mod frame;
mod message;
mod qpack;
pub mod settings;
mod static_table;
pub mod varint;

pub use capsule::{Capsule, CapsuleDecoder, MAX_REASON};
pub use control::{Control, ControlDecoder};
pub use error::{Code, ConnectionError};
pub use frame::{Event, FrameDecoder, Kind, encode_frame, encode_header};
pub use message::{MessageDecoder, Part};
pub use qpack::{
    Section, decode_section, encode_section, read_decoder_stream, read_encoder_stream,
};
pub use settings::Settings;
