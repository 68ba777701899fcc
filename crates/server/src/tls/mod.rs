//! TLS: where a server's key and certificate come from, and connections that are encrypted.
//!
//! An [`Identity`] is loaded from files (`pregenerated`, `openssl`) or issued by the user's own
//! [`Authority`]; an [`Acceptor`] makes encrypted streams with it.

mod acceptor;
mod authority;
mod certificate;
mod folder;
mod identity;
mod openssl;
mod pem;
mod stream;

pub use acceptor::Acceptor;
pub(crate) use acceptor::{HANDSHAKE_RECORD, Handshake, Refusal};
pub use authority::Authority;
pub use certificate::{Certificate, NOTICE, date};
pub use identity::{Files, Identity};
pub(crate) use stream::TlsStream;
