//! The engine over real sockets: bytes in, whole byte strings out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod bodies;
mod clients;
mod dns;
mod encrypted;
mod endings;
mod events;
mod files;
mod framing;
mod handlers;
mod harness;
mod http2;
mod limits;
mod persistence;
mod proxy;
mod shutdown;
mod splits;
mod take_over;
mod turns;
