//! What the engine reports while it runs: one typed stream, rendered by the host.

use std::{net::SocketAddr, time::Duration};

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Details for someone who looks into the server itself.
    Debug,
    /// Normal course of things.
    Info,
    /// Something a user should look at.
    Warning,
    /// Something failed.
    Error,
}

/// One answered request.
#[derive(Debug, Clone)]
pub struct RequestRecord<'a> {
    /// The request method as received.
    pub method: &'a [u8],
    /// The request target as received.
    pub target: &'a [u8],
    /// The status code that was sent; `None` when the handler sent raw bytes without one.
    pub status: Option<u16>,
    /// Bytes written to the connection, head included.
    pub bytes: u64,
    /// From the complete head to the last byte handed to the system.
    pub duration: Duration,
    /// The client's address.
    pub peer: SocketAddr,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// A request was answered.
    Request(RequestRecord<'a>),
    /// A handler failed.
    HandlerFailed {
        /// The URL of the request.
        url: &'a str,
        /// The file and line where it failed, where they are known.
        location: Option<(&'a str, u32)>,
        /// The error and its traceback.
        message: &'a str,
    },
    /// A request could not be read; it was refused or the connection was closed.
    BadRequest {
        /// The client's address.
        peer: SocketAddr,
        /// The status that was answered.
        status: u16,
        /// What was wrong.
        message: &'a str,
    },
    /// A message of a component, or of a handler through Python's `logging`.
    Message {
        /// How much it matters.
        level: Level,
        /// Who says it.
        source: &'a str,
        /// What it says.
        text: &'a str,
    },
}

/// Where events go. Called from any thread; must not block for long.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: &Event<'_>);

    /// Whether [`Event::Request`] is wanted at all, asked once per request.
    fn wants_requests(&self) -> bool;
}

/// Drops every event.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn emit(&self, _event: &Event<'_>) {}

    fn wants_requests(&self) -> bool {
        false
    }
}
