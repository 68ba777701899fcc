//! The stash of all hosts: kept by the supervisor, and reached over Unix sockets.
//!
//! A host has a *door*, a socket over which it passes the supervisor one end of a new pair whenever
//! a thread finds no idle connection. So there is no path and no name that others could find, and
//! a thread that waits for the lock holds up no other.

mod client;
mod message;
mod queues;
mod service;

pub(super) use client::RemoteStash;
pub(super) use service::{HostId, StashService};
