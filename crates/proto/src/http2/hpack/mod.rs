//! Header blocks (RFC 7541), both ways.
//!
//! What is written uses the static table alone; what is read may use all of it.

mod decode;
mod encode;
mod table;

pub use decode::{Block, DecodeError, Decoder};
pub use encode::{encode_block, encode_field};
