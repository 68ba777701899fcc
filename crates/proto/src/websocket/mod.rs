//! The WebSocket protocol (RFC 6455) and its compression (RFC 7692).
//!
//! [`frame`] turns bytes into frames and back, [`message`] puts frames together to messages,
//! [`budget`] bounds what those of many connections take, [`deflate`] compresses them, [`handshake`] reads the fields of the opening handshake, and
//! [`close`] the body of a close frame.

pub mod budget;
pub mod close;
pub mod deflate;
pub mod frame;
pub mod handshake;
pub mod message;

pub use budget::{Budget, Share};
pub use close::{CloseError, CloseStatus};
pub use deflate::{DeflateError, DeflateOffer, InflateError, MessageDeflater, MessageInflater};
pub use frame::{Frame, FrameDecoder, FrameError, FrameHeader, Opcode, apply_mask};
pub use handshake::{Extension, GrammarError};
pub use message::{Assembler, Message, MessageError};
