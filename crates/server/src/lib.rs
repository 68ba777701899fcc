//! The engine of wptserve on tokio. It knows no Python and no command line.
//!
//! One request's way: `server` accepts a connection, `http1` or `http2` reads a request and asks the
//! `router` for its [`Handler`], which answers through a [`ResponseWriter`]; the connection's
//! task takes what is written out of the `outbox` and puts it on the wire.

#![forbid(unsafe_code)]

mod accept;
mod blocking;
mod body;
mod budget;
mod clock;
pub mod config;
mod connection;
mod content;
pub mod dns;
pub mod environment;
mod error;
pub mod event;
pub mod file_cache;
pub mod file_system;
pub mod files;
pub mod generated;
mod handler;
pub mod headers_files;
mod http1;
pub mod http2;
pub mod injection;
mod listener;
mod outbox;
pub mod pac;
mod page_cache;
mod parts;
pub mod pipes;
pub mod printable;
mod ranges;
mod refusals;
pub mod regular_file;
mod request;
pub mod response;
pub mod router;
pub mod scheme;
mod server;
mod service;
mod shared_router;
mod socket_table;
mod stall;
pub mod stash;
mod takeover;
pub mod tls;
mod turns;
mod wakes;

pub use accept::AcceptShare;
pub use blocking::Job;
pub use body::{BodyFrame, RequestBody};
pub use clock::http_date_now;
pub use config::Config;
pub use environment::{Environment, Limits};
pub use error::Error;
pub use handler::{ErrorHandler, Exchange, Handler, StringHandler};
pub use outbox::{Finish, PeerGone, Piece, ResponseWriter, TrySendError};
pub use refusals::Refusals;
pub use request::{ConnectionInfo, Encryption, Request, latin1};
pub use response::Response;
pub use router::Router;
pub use scheme::Scheme;
pub use server::{Bound, Endpoint, GRACE, Server, Stop, WebSocketService};
pub use service::Http2Use;
pub use shared_router::SharedRouter;
pub use takeover::Inbox;
pub use turns::{Driver, Turn, Turns};
pub use wakes::Wakes;
