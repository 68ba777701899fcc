//! What the server offers to handlers, and the bounds it keeps.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::{
    event::EventSink, file_cache::FileCache, refusals::Refusals, stash::StashStore, wakes::Wakes,
};

/// Shared by all requests of a server.
pub struct Environment {
    /// The document root: absolute, without a trailing slash (but for `/` itself).
    pub doc_root: PathBuf,
    /// The resolved configuration, for handlers and templates.
    pub config: serde_json::Value,
    /// Files of the document root in memory.
    pub files: FileCache,
    /// Where values live between requests.
    pub stash: Arc<dyn StashStore>,
    /// Where events go.
    pub events: Arc<dyn EventSink>,
    /// What the system refuses, for the log.
    pub refusals: Refusals,
    /// Bounds on what a client may do.
    pub limits: Limits,
    /// The way from handler threads to connection tasks.
    pub wakes: Arc<Wakes>,
}

/// Bounds on what a client, or a handler, may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest request body in bytes; none by default.
    pub max_body: Option<u64>,
    /// How long a request's head may take from its first byte on.
    pub head_timeout: Duration,
    /// How long a connection may wait for its next request.
    pub idle_timeout: Duration,
    /// How long a client may take nothing of what is written to it.
    pub write_timeout: Duration,
    /// How long a handler may take until it is given up; none by default.
    pub handler_timeout: Option<Duration>,
    /// The longest WebSocket message, and its longest frame, in bytes.
    pub max_message: usize,
    /// How long each request waits before it is answered; not at all by default.
    pub latency: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body: None,
            head_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(300),
            write_timeout: Duration::from_secs(60),
            handler_timeout: None,
            max_message: 256 * 1024 * 1024,
            latency: None,
        }
    }
}
