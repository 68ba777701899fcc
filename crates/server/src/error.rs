//! What can go wrong before a request is served.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::Scheme;

/// An error of the engine; each names what it is about and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The document root is missing or is no directory.
    #[error(
        "the document root {path} cannot be served: {reason}; name an existing directory, as in `wptserve path/to/tests`"
    )]
    DocRoot {
        /// The path as given.
        path: PathBuf,
        /// Why it cannot be served.
        reason: String,
    },
    /// The host name to listen on does not resolve.
    #[error(
        "the host `{host}` does not resolve to an address: {source}; use an address such as 127.0.0.1 with --host"
    )]
    Resolve {
        /// The host as given.
        host: String,
        /// The resolver's error.
        source: io::Error,
    },
    /// The port is taken by another socket.
    #[error(
        "port {port} on {host} is in use{holder}; stop what uses it, or choose another with --port (0 picks a free one)"
    )]
    PortInUse {
        /// The address that was asked for.
        host: String,
        /// The port that was asked for.
        port: u16,
        /// ` by NAME (pid N)` where it can be known, else empty.
        holder: String,
    },
    /// A port is to be listened on for two things.
    #[error(
        "port {port} is in `ports.{second}` and, before that, in `ports.{first}`; give one of them another (\"auto\" picks a free one)"
    )]
    PortTwice {
        /// The port.
        port: u16,
        /// What it is for.
        first: Scheme,
        /// What it is for as well.
        second: Scheme,
    },
    /// Listening failed for another reason.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The configuration file cannot be read.
    #[error("the configuration file {path} cannot be read: {source}")]
    ConfigRead {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The configuration file says something that has no meaning.
    #[error("the configuration file {path} is wrong: {reason}")]
    Config {
        /// The file.
        path: PathBuf,
        /// Which key, what is wrong with it, what is allowed.
        reason: String,
    },
    /// A file with a key or a certificate cannot be used.
    #[error("the {what} {path} cannot be used: {reason}")]
    Certificate {
        /// `key` or `certificate`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// The user's certificate authority cannot be read or made.
    #[error("the certificate authority in {folder} cannot be used: {reason}")]
    Authority {
        /// The folder of its files.
        folder: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A port whose connections begin with a handshake has no certificate.
    #[error("a port for {scheme} needs a certificate; set `ssl.type` in the configuration")]
    NoCertificate {
        /// The scheme of the port.
        scheme: Scheme,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// A route's pattern is malformed.
    #[error("the route pattern `{pattern}` is malformed: {reason}")]
    Route {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The runtime or the signal handlers could not be set up.
    #[error("the event loop cannot start: {0}")]
    Runtime(io::Error),
}
